"""How good a coloured image is: metrics per image, their summary, and the trivial predictions to beat."""

from models.metrics.ciede2000 import delta_e_2000
from models.metrics.colour import keep_luminance, lab_to_rgb, luma, rgb_to_lab
from models.metrics.image import entropy, hue_histogram, image_quantities
from models.metrics.summary import summarise
from models.metrics.table import METRICS, OBJECTIVE, Metric, register_metric
from models.metrics.trivial import TRIVIAL, MeanChroma, grey_copy, mean_chroma, white

__all__ = [
    "METRICS",
    "OBJECTIVE",
    "TRIVIAL",
    "MeanChroma",
    "Metric",
    "delta_e_2000",
    "entropy",
    "grey_copy",
    "hue_histogram",
    "image_quantities",
    "keep_luminance",
    "lab_to_rgb",
    "luma",
    "mean_chroma",
    "register_metric",
    "rgb_to_lab",
    "summarise",
    "white",
]
