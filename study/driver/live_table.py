"""The progress of a running study: a live table of its cells, or plain lines where there is no terminal."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from models.metrics import OBJECTIVE
from study.search.cells import Cell, Stage
from study.search.trial_spec import End, Report, TrialSpec, TrialState
from study.settings.schema import StudySettings

_WORDS = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


@dataclass
class _Row:
    cell: Cell
    ended: int = 0
    pruned: int = 0
    failed: int = 0
    running: dict[str, str] = field(default_factory=dict)
    finals: int = 0
    best: float = math.inf
    epochs: int = 0
    seconds: float = 0.0
    partial: int = 0


class Screen:
    """Shows a study's progress; a listener of the conductor.

    Args:
        settings: The study.
        cells: Its cells.
        console: Where to print: a live table on a terminal, else lines.
    """

    def __init__(self, settings: StudySettings, cells: Sequence[Cell], console: Console) -> None:
        self._settings = settings
        self._console = console
        self._rows = {cell.key: _Row(cell) for cell in cells}
        self._live = (
            Live(console=console, refresh_per_second=2, transient=True) if console.is_terminal else None
        )
        self._since = time.monotonic()

    def __enter__(self) -> Screen:
        if self._live:
            self._live.start()
            self._refresh()
        else:
            finals = len(self._rows) * self._finals
            self.say(f"{len(self._rows)} cells, {self._total() - finals} trials and {finals} finals.")
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def catch_up(self, cell: str, ended: int, pruned: int, failed: int, best: float, finals: int) -> None:
        """Start from what earlier runs of the study did."""
        row = self._rows[cell]
        row.ended, row.pruned, row.failed, row.finals = ended, pruned, failed, finals
        row.best = best

    def started(self, spec: TrialSpec) -> None:
        """A trial began."""
        self._rows[spec.cell].running[spec.key] = f"0/{spec.epochs}"
        self._refresh()

    def placed(self, spec: TrialSpec, nodes: Sequence[str]) -> None:
        """Nodes are shown in MLflow only."""

    def reported(self, spec: TrialSpec, report: Report) -> None:
        """A trial finished an epoch."""
        row = self._rows[spec.cell]
        row.epochs += 1
        row.running[spec.key] = f"{report['epoch']:.0f}/{spec.epochs}"
        row.seconds += report.get("train_seconds", 0.0) + report.get("validation_seconds", 0.0)
        self._refresh()

    def pictured(self, spec: TrialSpec, epoch: int, key: str) -> None:
        """Pictures are shown in MLflow only."""

    def ended(self, spec: TrialSpec, end: End) -> None:
        """A trial ended."""
        row = self._rows[spec.cell]
        row.running.pop(spec.key, None)
        if spec.stage is Stage.SEARCH:
            row.ended = end.ended
            row.pruned += end.state is TrialState.PRUNED
            row.failed += end.state is TrialState.FAIL
        else:
            row.finals += 1
        row.best = math.inf if end.best is None else end.best
        own = f", {OBJECTIVE} {end.value:.3f}" if end.value is not None else ""
        best = f", best of {spec.cell} {end.best:.3f}" if end.best is not None else ""
        why = f" ({end.reason})" if end.state is TrialState.FAIL else ""
        self._line(f"{spec.key} {_WORDS[end.state]}{why}{own}{best}")

    def noted(self, sentence: str) -> None:
        """A sentence for the reader."""
        self.say(sentence)

    def say(self, sentence: str) -> None:
        """Print a sentence above the table."""
        self._console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def _line(self, sentence: str) -> None:
        if self._live:
            self._refresh()
        else:
            done = sum(row.ended + row.finals for row in self._rows.values())
            left = f"at most {self._minutes_left()} left"
            self.say(f"{time.strftime('%H:%M:%S')} {sentence} ({done} of {self._total()}, {left})")

    @property
    def _finals(self) -> int:
        """Of each cell."""
        return self._settings.finals.configurations * self._settings.finals.seeds

    def _trials(self, row: _Row) -> int:
        return max(self._settings.budget.trials, row.ended)  # continuations are additional trials

    def _total(self) -> int:
        return sum(self._trials(row) + self._finals for row in self._rows.values())

    def _now(self, row: _Row) -> str:
        """How far a cell's running trials are, or which architecture it waits for."""
        parent = self._rows.get(row.cell.pretrained_by or "")
        if row.running:
            first = next(iter(row.running.values()))
            return first if len(row.running) == 1 else f"{first} +{len(row.running) - 1}"
        if parent and not row.ended and parent.ended < self._trials(parent):
            return f"after {parent.cell.architecture}"
        return ""

    def _refresh(self) -> None:
        if self._live:
            self._live.update(self._table())

    def _table(self) -> Table:
        minutes = (time.monotonic() - self._since) / 60
        # Fits 80 columns with the longest name of a built-in cell.
        title = f"{self._settings.name}: {minutes:.0f} min, at most {self._minutes_left()} left"
        table = Table(title=title, box=box.SIMPLE_HEAD, padding=0)
        for heading in ("cell", "trials", "", "epoch", "pruned", "failed", "best ΔE₀₀", "finals"):
            table.add_column(heading, justify="left" if heading in ("cell", "") else "right", no_wrap=True)
        for row in self._rows.values():
            total = self._trials(row)
            table.add_row(
                row.cell.key,
                f"{row.ended}/{total}",
                ProgressBar(total=total, completed=row.ended, width=8),
                self._now(row),
                str(row.pruned or ""),
                f"[red]{row.failed}[/red]" if row.failed else "",
                f"{row.best:.3f}" if math.isfinite(row.best) else "",
                f"{row.finals}/{self._finals}",
            )
        return table

    def _minutes_left(self) -> str:
        """An upper bound, since it assumes that no trial is pruned."""
        measured = [row.seconds / row.epochs for row in self._rows.values() if row.epochs]
        if not measured:
            return "?"
        left = 0.0
        for row in self._rows.values():
            per_epoch = row.seconds / row.epochs if row.epochs else sum(measured) / len(measured)
            runs = max(0, self._settings.budget.trials - row.ended) + self._finals - row.finals
            left += per_epoch * row.cell.epochs * runs / self._settings.budget.epochs_per_report
        running = max(1, sum(len(row.running) for row in self._rows.values()))
        return f"{left / running / 60:.0f} min"
