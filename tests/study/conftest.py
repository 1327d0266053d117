"""Servers that several test files use, and one MLflow store with several made-up studies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from study.tracking.record import StudyRecord
from tests.support.recorded_studies import Writer, complete, diverged, pruned
from tests.support.servers import mlflow_server, postgres  # noqa: F401


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("mlflow")
    return folder, f"sqlite:///{folder}/mlflow.db"


@pytest.fixture(scope="session")
def whole(store: tuple[Path, str]) -> StudyRecord:
    """Two datasets, three architectures, two seeds; the U-Net is clearly best, the cGAN starts from it."""
    writer = Writer(
        *store,
        "whole",
        architectures=["koalarization", "unet", "cgan"],
        datasets=["fruit", "scenes"],
        watts=360.0,
    )
    rng = np.random.default_rng(0)
    for dataset in ("fruit", "scenes"):
        for name, error in (("koalarization", 0.6), ("unet", 0.1)):
            writer.search(dataset, name, [complete(14, name), pruned(20, name, learning_rate=1e-5)])
            for number in range(2):
                writer.final(dataset, name, number, error + 0.002 * number)
        endings = [
            complete(
                float(rng.uniform(10, 20)),
                "cgan",
                epsilon=float(10 ** rng.uniform(-12, -3)),
                l1_weight=float(weight),
            )
            for weight in (3, 30, 100, 300, 500, 800, 900, 10)
        ]
        endings[2] = replace(
            endings[2], params={**endings[2].params, "generator_init": "unet"}, generator_from=0
        )
        writer.search(dataset, "cgan", [*endings, diverged("cgan", epsilon=1e-12)])
        for number in range(2):
            writer.final(dataset, "cgan", number, 0.3 + 0.002 * number, generator_from=0)
    writer.tracker.noted("A note for readers.")
    return writer.close()


@pytest.fixture(scope="session")
def lonely(store: tuple[Path, str]) -> StudyRecord:
    """One dataset, one architecture, one seed, no stored pictures."""
    writer = Writer(*store, "lonely", architectures=["unet"], datasets=["fruit"], seeds=1, pictures=False)
    writer.search("fruit", "unet", [complete(14, "unet")])
    writer.final("fruit", "unet", 0, 0.2)
    return writer.close()


@pytest.fixture(scope="session")
def contested(store: tuple[Path, str]) -> StudyRecord:
    """One architecture with one final, and pictures of another program of 10 of the 12 test images."""
    writer = Writer(
        *store,
        "contested",
        architectures=["unet"],
        datasets=["fruit"],
        seeds=1,
        pictures=False,
        contestant="other",
    )
    writer.search("fruit", "unet", [complete(14, "unet")])
    writer.final("fruit", "unet", 0, 0.2)
    return writer.close()


@pytest.fixture(scope="session")
def failing(store: tuple[Path, str]) -> StudyRecord:
    """All of a cell's trials failed; the other cell has no finals; nothing is running."""
    writer = Writer(*store, "failing", architectures=["unet", "cgan"], datasets=["fruit"], seeds=0)
    writer.search("fruit", "unet", [diverged("unet"), diverged("unet")])
    writer.search("fruit", "cgan", [complete(15, "cgan"), diverged("cgan")])
    return writer.close()


@pytest.fixture(scope="session")
def unfinished(store: tuple[Path, str]) -> StudyRecord:
    """A trial is complete, another running, the other cell untouched."""
    writer = Writer(*store, "unfinished", architectures=["unet", "cgan"], datasets=["fruit"])
    writer.search("fruit", "unet", [complete(14, "unet"), None])
    return writer.close(finished=False)


@pytest.fixture(scope="session")
def replicated(store: tuple[Path, str]) -> StudyRecord:
    """Four replicates on one dataset: the U-Net is clearly better than Koalarization, the cGAN like the U-Net."""
    writer = Writer(
        *store,
        "replicated",
        architectures=["koalarization", "unet", "cgan"],
        datasets=["fruit"],
        replicates=4,
        leaks=[0, 5],
        objective="kept_ciede2000",
    )
    for replicate, luck in enumerate((0.0, 0.004, 0.008, 0.002), start=1):
        for name, error in (("koalarization", 0.6), ("unet", 0.1), ("cgan", 0.102)):
            collapsed = name == "koalarization" and replicate == 4
            writer.search("fruit", name, [complete(14, name)], replicate)
            start = 0 if name == "cgan" else None
            writer.final("fruit", name, 0, error + luck, start, replicate=replicate, collapsed=collapsed)
        writer.final("fruit", "cgan", 0, 0.15 + luck, 0, replicate=replicate, controls=0)
    writer.tracker.looked([2, 4])
    return writer.close()
