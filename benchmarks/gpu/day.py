"""Goes through the cases of a GPU day one by one, within a budget of seconds, and keeps what each one found."""

from __future__ import annotations

import gc
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

OUR_OWN = ("benchmarks", "models", "data_utils")
PASSED, MEASURED, FAILED, SKIPPED, CUT = "passed", "measured", "FAILED", "skipped", "cut"

Figures = dict[str, Any]


class WrongError(Exception):
    """A check found a difference that is larger than allowed; the message says which."""


class NotHereError(Exception):
    """This machine lacks what a case needs; the message says what."""


class _OutOfTime(BaseException):
    """The budget is spent; no library that catches exceptions may catch this one."""


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        part: `checks`, or what is measured.
        name: What is checked or measured.
        seconds: About how long it takes; it does not begin where less is left.
        run: Gives the figures; raises where a check fails.
    """

    part: str
    name: str
    seconds: float
    run: Callable[[], Figures]

    @property
    def is_check(self) -> bool:
        """Whether it can be passed; anything else is measured."""
        return self.part == "checks"


@dataclass(frozen=True)
class Line:
    """What became of a case.

    Attributes:
        outcome: `passed` or `measured`; `FAILED`; `skipped`: it did not begin; `cut`: it began and did not end.
        said: The figures, or why there are none.
        trace: Of a failure.
        warnings: What Python warned of meanwhile, for the file alone.
    """

    part: str
    case: str
    outcome: str
    seconds: float
    said: str
    figures: Figures = field(default_factory=dict)
    trace: str = ""
    warnings: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """For a JSON file."""
        return {**asdict(self), "figures": self.figures}


def go_through(cases: Sequence[Case], budget: float, device: torch.device, started: float) -> Iterator[Line]:
    """Run cases in their order, whatever becomes of the ones before.

    Args:
        cases: All of them.
        budget: Seconds for all of them.
        device: Whose memory is given back after each.
        started: When the budget began, by `time.perf_counter`.
    """
    for case in cases:
        left = budget - (time.perf_counter() - started)
        if left < case.seconds:
            said = f"takes about {case.seconds:g} s, and {max(0.0, left):.0f} of {budget:g} s are left"
            yield Line(case.part, case.name, SKIPPED, 0.0, said)
            continue
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("default")
            line = _line(case, left)
        yield replace(line, warnings=tuple(dict.fromkeys(str(one.message) for one in heard)))
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()


def _line(case: Case, left: float) -> Line:
    started = time.perf_counter()

    def line(outcome: str, said: str, figures: Figures | None = None, trace: str = "") -> Line:
        seconds = round(time.perf_counter() - started, 2)
        return Line(case.part, case.name, outcome, seconds, said, figures or {}, trace)

    try:
        with _deadline(left):
            figures = case.run()
    except _OutOfTime:
        return line(CUT, "the time was up before it was done")
    except NotHereError as error:
        return line(SKIPPED, str(error))
    except WrongError as error:
        return line(FAILED, str(error))
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] not in OUR_OWN:
            return line(SKIPPED, f"needs {error.name}, which is not installed here")
        first = (str(error).strip().splitlines() or [""])[0]
        return line(FAILED, f"{type(error).__name__}: {first}", trace=traceback.format_exc())
    return line(PASSED if case.is_check else MEASURED, in_words(figures), figures)


def in_words(figures: Figures) -> str:
    """Figures in one line."""
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in figures.items()
    )


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise `_OutOfTime` in the main thread when the seconds have passed."""

    def cut(*_: object) -> None:
        raise _OutOfTime

    handler = signal.signal(signal.SIGALRM, cut)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
