"""The one exception of this package."""


class ModelError(Exception):
    """What the user asked of a model cannot be done; the message is one sentence that says what to do."""
