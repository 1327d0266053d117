"""Names that stand in evaluations and tables beside those of the metrics."""

TRIVIAL = ("grey copy", "best tint", "mean chroma", "white")
"""The predictions that need no learning."""

KEPT = "kept_"
"""Before the name of a quantity: of the prediction with the input's luminance."""

INDEX = "index"
"""The images' positions in their set."""
