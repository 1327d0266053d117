"""What the processes that train one network together say to each other, by torch.distributed.

Each of them is a rank. Everything here is of the process group that `join` makes; where there is none, a process is
alone, and a sum over all ranks is its own.
"""

import os
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = timedelta(minutes=10)
"""How long a rank waits for the others, by torch's default for NCCL; after it, waiting is an error."""


def join(rank: int, size: int, meeting: Path, device: torch.device) -> None:
    """Become one of several ranks on this machine: by NCCL on GPUs, each of its own, else by gloo.

    Until it leaves, whatever this process trains waits for what the others train.

    Args:
        rank: From 0.
        size: How many there are; each calls this once.
        meeting: A file that does not exist, in a folder that all see.
        device: Where this rank computes.

    Raises:
        dist.DistError: The others do not come.
    """
    for library in ("GLOO", "NCCL"):  # all ranks are on this machine: nothing listens to other ones
        os.environ.setdefault(f"{library}_SOCKET_IFNAME", "lo")
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        store=dist.FileStore(str(meeting), size),  # type: ignore[attr-defined]  # documented, yet not in its `__all__`
        rank=rank,
        world_size=size,
        timeout=PATIENCE,
    )


def leave() -> None:
    """Be alone again; the others may be gone already."""
    if not _alone():
        give_up()
        dist.destroy_process_group()


def give_up() -> None:
    """End every wait for the other ranks, from any thread, with an error where the wait is.

    Whoever waits by gloo notices by itself that a rank has gone, unlike who waits on a GPU.
    """
    if not _alone() and dist.get_backend() == "nccl" and dist.group.WORLD is not None:
        dist.group.WORLD.abort()


def total(tensor: Tensor) -> Tensor:
    """The sum over all ranks, equal on each of them; what it is given may be overwritten."""
    if not _alone():
        dist.all_reduce(tensor)
    return tensor


def gathered(tensor: Tensor) -> Tensor:
    """The tensors of all ranks, which have one shape, under each other: ranks×…."""
    if _alone():
        return tensor[None]
    parts = [torch.empty_like(tensor) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, tensor)
    return torch.stack(parts)


def mean(values: Tensor) -> Tensor:
    """The mean over the values of all ranks, however many each has."""
    if _alone():
        return values.mean()
    own = values.sum()
    summed = total(torch.stack([own, torch.full_like(own, values.numel())]))
    return summed[0] / summed[1]


def _alone() -> bool:
    return not (dist.is_available() and dist.is_initialized())
