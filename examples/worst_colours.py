"""A metric in one file: how wrong the worst twentieth of an image's colours is.

    python -m study.launch demo --name plug --plugins "[examples/worst_colours.py]"

The mean colour difference hides a small object in a wrong colour; a high percentile shows it. The metric stands beside
the others in every table, report and export; the search still minimises the objective.
"""

import math

from torch import Tensor

from models.metrics import delta_e_2000, register_metric, rgb_to_lab


def worst_colours(prediction: Tensor, truth: Tensor) -> Tensor:
    """95th percentile over pixels of the CIEDE2000 difference: B×3×H×W in [−1, 1] twice to (B)."""
    lab, true_lab = (rgb_to_lab((image.float() + 1) / 2) for image in (prediction, truth))  # B×3×H×W
    differences = delta_e_2000(lab, true_lab).flatten(1)  # B×HW
    return differences.kthvalue(math.ceil(0.95 * differences.shape[1]), dim=1).values  # B


register_metric(
    "ciede2000_p95",
    worst_colours,
    "lower",
    decimals=2,
    definition="95th percentile of CIEDE2000 over pixels",
    possible=(0.0, math.inf),
)
