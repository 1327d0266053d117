"""What a GPU day consists of, the most important first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from benchmarks.gpu import checks, data_checks, model_checks, speeds
from benchmarks.gpu.day import Case
from benchmarks.gpu.whole_study import whole_study
from benchmarks.measure import Options

ARCHITECTURES = ("unet", "cgan", "koalarization", "vggunet")
CHECKS = "checks"


@dataclass(frozen=True)
class Plan:
    """Sizes of a day.

    Attributes:
        width: Of the networks.
        small: Side of the images of checks, in pixels.
        steps: Side and batch size of the steps whose throughput is measured.
        side: Of the matrices.
        images: Of the sets that epochs are measured on.
        packed: Numbers of trials at once.
        packing_seconds: For which each of them trains.
    """

    width: int = 64
    small: int = 64
    steps: tuple[tuple[int, int], ...] = ((128, 64), (64, 64), (224, 32))
    side: int = 8192
    images: int = 1024
    packed: tuple[int, ...] = (1, 2, 4)
    packing_seconds: float = 5.0


FULL = Plan()
TINY = Plan(width=4, small=32, steps=((32, 4),), side=128, images=16, packed=(1, 2), packing_seconds=0.2)


def cases(options: Options) -> list[Case]:
    """All cases; with `quick` at tiny sizes, where all but a compilation take seconds on a CPU as well."""
    plan = TINY if options.quick else FULL
    few = replace(options, quick=True)  # five repeats instead of eleven
    measured = [
        *_throughput(plan, few),
        *_packing(plan, few),
        *_epochs(plan, few),
        Case("study", "a whole one, two trials on a GPU", 100, partial(whole_study, options.device)),
        *_compilation(plan, few),
    ]
    return [*_checks(plan, options), *measured]


def _checks(plan: Plan, options: Options) -> list[Case]:
    device, width, size = options.device, plan.width, plan.small
    data = partial(data_checks.batches, 8 * data_checks.BATCH, size, device)
    each = [
        Case(CHECKS, f"{name}: {what}", 5, partial(check, *arguments))
        for name in ARCHITECTURES
        for what, check, arguments in (
            ("step in float32", checks.step, (name, "float32", width, size, device)),
            ("step in bfloat16", checks.step, (name, "bfloat16", width, size, device)),
            ("channels_last", checks.layout, (name, width, size, device)),
            ("steps never wait", checks.no_waiting, (name, width, size, device)),
        )
    ]
    once = [
        ("bf16 autocast", partial(checks.autocast_dtype, device)),
        ("fused Adam", partial(checks.fused_adam, device)),
        ("batches on the device", partial(data, streaming=False)),
        ("batches streamed from a map", partial(data, streaming=True)),
        ("resume, cgan", partial(data_checks.resume, "cgan", width, size, device)),
        ("VGG16's vectors", partial(data_checks.features, "vector", data_checks.BATCH, size, device)),
        ("VGG16's maps", partial(data_checks.features, "maps", data_checks.BATCH, size, device)),
        ("metrics", partial(data_checks.metrics, size, device)),
        ("a photograph coloured", partial(model_checks.colorizer, width, size, device)),
        ("what colouring costs", partial(model_checks.usage, width, size, device)),
        ("memory fraction", partial(data_checks.memory_fraction, device)),
        ("energy", partial(data_checks.energy, device)),
    ]
    return [*each, *(Case(CHECKS, name, 5, run) for name, run in once)]


def _throughput(plan: Plan, options: Options) -> list[Case]:
    peak = Case("peak", "bf16 matrix product", 3, partial(speeds.matrix_peak, options.device, plan.side))
    return [
        peak,
        *(
            Case(
                "throughput",
                f"{name}, {size} px",
                8,
                partial(speeds.throughput, name, plan.width, size, batch, plan.side, options),
            )
            for size, batch in plan.steps
            for name in ARCHITECTURES
        ),
        *(
            Case(
                "operators",
                f"{name}, {size} px",
                3,
                partial(speeds.operators, name, plan.width, size, batch, options.device),
            )
            for size, batch in plan.steps[:1]
            for name in ARCHITECTURES
        ),
    ]


def _packing(plan: Plan, options: Options) -> list[Case]:
    width = plan.width // 2
    arguments = (width, plan.small, plan.packing_seconds, options.device)
    return [
        Case("packing", f"{count} at once, width {width}", 20, partial(speeds.packing, count, *arguments))
        for count in plan.packed
    ]


def _epochs(plan: Plan, options: Options) -> list[Case]:
    size, _ = plan.steps[0]
    data = partial(speeds.data_path, "unet", plan.images, plan.width, size, options)
    cache = partial(speeds.vgg_cache, plan.width, plan.images, size, options)
    return [
        Case("data path", f"unet, {size} px", 20, data),
        Case("VGG cache", f"koalarization, {size} px", 20, cache),
    ]


def _compilation(plan: Plan, options: Options) -> list[Case]:
    size, _ = plan.steps[0]
    kinds = [("torch.compile", False)]
    if options.device.type == "cuda":
        kinds.append(("CUDA graphs", True))
    return [
        Case(
            "compilation",
            f"{name}, {size} px, {kind}",
            75,
            partial(speeds.compilation, name, plan.width, size, options, graphs=graphs),
        )
        for name in ("unet", "koalarization")
        for kind, graphs in kinds
    ]
