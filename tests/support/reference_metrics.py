"""The same quantities by scikit-image and NumPy, image by image in float64, H×W×3 in [0, 1]."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.filters import laplace
from skimage.measure import block_reduce
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

Image = NDArray[np.float64]


def reference_quantities(rgb: Image, truth: Image) -> dict[str, float]:
    lab, lab_true = rgb2lab(rgb), rgb2lab(truth)
    is_object = truth.min(axis=-1) < 0.9
    quantities = {
        "ciede2000": deltaE_ciede2000(lab, lab_true).mean(),
        "psnr": peak_signal_noise_ratio(truth, rgb, data_range=1) if (rgb != truth).any() else 100.0,
        "detail": detail(rgb, truth),
        "a_star_error": (lab - lab_true)[..., 1][is_object].mean() if is_object.any() else 0.0,
    }
    for suffix, image, its_lab in (("", rgb, lab), ("_true", truth, lab_true)):
        chroma = np.hypot(its_lab[..., 1], its_lab[..., 2])
        y = image @ [0.299, 0.587, 0.114]
        quantities |= {
            "colourfulness" + suffix: colourfulness(image * 255),
            "sharpness" + suffix: laplace(y, ksize=3)[1:-1, 1:-1].var(),
            "white_fraction" + suffix: (np.float32(image) >= np.float32(0.98)).all(axis=-1).mean(),
            "saturation" + suffix: chroma.mean(),
            "a_star" + suffix: its_lab[..., 1].mean(),
            "chroma_square" + suffix: (chroma**2).mean(),
            "white_distance" + suffix: (np.linalg.norm(its_lab - [100, 0, 0], axis=-1) * is_object).mean(),
        }
    return quantities


def colourfulness(image: Image) -> float:
    red, green, blue = np.moveaxis(image, -1, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue]).reshape(2, -1)
    return float(np.linalg.norm(opponents.std(axis=1)) + 0.3 * np.linalg.norm(opponents.mean(axis=1)))


def hue_histogram(lab: Image) -> Image:
    a, b = (block_reduce(lab[..., channel], (4, 4), np.mean) for channel in (1, 2))
    chroma = np.hypot(a, b)
    hue = np.degrees(np.arctan2(b, a)) % 360
    weights, _ = np.histogram(hue, bins=36, range=(0, 360), weights=np.where(chroma < 4, 0, chroma))
    return weights / chroma.size


def detail(rgb: Image, truth: Image) -> float:
    high = []
    for image in (rgb, truth):
        y = image @ [0.299, 0.587, 0.114]
        high.append((y - uniform_filter(y, 5))[2:-2, 2:-2])
    predicted, true = high
    return float(2 * (predicted * true).sum() / ((predicted**2).sum() + (true**2).sum()))


def inner_ssim(rgb: Image, truth: Image) -> float:
    """SSIM over the pixels whose whole window lies inside; borders are padded differently everywhere."""
    return float(
        structural_similarity(
            rgb,
            truth,
            data_range=1,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )
