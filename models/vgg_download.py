"""Fetches torchvision's weights of VGG16, once, to where `vgg16: auto` looks for them."""

import socket
from pathlib import Path

import torch

from models.errors import ModelError
from models.proxy import proxy_of
from models.torchvision_shim import torchvision
from models.vgg_weights import HUB_DIGEST, HUB_FILE, file_sha256, hub_path

URL: str = torchvision.models.VGG16_Weights.IMAGENET1K_FEATURES.url
PATIENCE = 30  # seconds without a byte


def fetch_vgg16(url: str = URL, *, progress: bool = True) -> Path:
    """Download the weights (56 MiB) into torch's hub cache; a whole file that is there already is kept.

    What arrives is checked against the beginning of its SHA-256. Proxies are taken from the environment
    (`https_proxy`).

    Args:
        url: Where from.
        progress: Whether to show a bar on the console.

    Returns:
        The file.

    Raises:
        ModelError: It cannot be fetched or is not the right one; the message says where to put it by hand.
    """
    path = hub_path()
    if path.is_file() and file_sha256(path).startswith(HUB_DIGEST):
        return path
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), hash_prefix=HUB_DIGEST, progress=progress)
    except (OSError, RuntimeError) as error:  # urllib's are OSErrors; a wrong checksum is a RuntimeError
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        proxy = proxy_of(url)
        through = f" through {proxy}" if proxy else ""
        remedy = f"correct or unset {proxy.variable}" if proxy else "behind a proxy set https_proxy"
        raise ModelError(
            f"VGG16's weights could not be fetched from {url}{through} ({reason}); {remedy}, or put {HUB_FILE} into "
            f"{path.parent} by hand."
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    return path
