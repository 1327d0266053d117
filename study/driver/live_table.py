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

from data_utils.wording import counted
from study.cli.command import say
from study.driver.plan import Pace
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
    controls: int = 0
    best: float = math.inf
    epochs: int = 0
    seconds: float = 0.0
    partial: int = 0


class Screen:
    """Shows a study's progress; a listener of the conductor. The replicates of a cell are one row.

    Args:
        settings: The study.
        cells: Its cells.
        console: Where to print: a live table on a terminal, else lines.
        pace: What was measured beforehand, None if trials run on other machines.
    """

    def __init__(
        self, settings: StudySettings, cells: Sequence[Cell], console: Console, pace: Pace | None = None
    ) -> None:
        self._settings = settings
        self._pace = pace
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
            trials = sum(self._trials(row) for row in self._rows.values())
            finals = len(self._rows) * self._finals
            controls = self._total() - trials - finals
            parts = [counted(len(self._rows), "cell"), counted(trials, "trial"), counted(finals, "final")]
            parts += [counted(controls, "control")] if controls else []
            time_left = f"; at most about {self._minutes_left()}" if self._pace else ""
            self.say(f"{', '.join(parts[:-1])} and {parts[-1]}{time_left}.")
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def catch_up(
        self, cell: str, ended: int, pruned: int, failed: int, best: float, finals: int, controls: int
    ) -> None:
        """Start from what earlier runs of the study did."""
        row = self._rows[cell]
        row.controls = controls
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
            row.finals += spec.stage is Stage.FINAL
            row.controls += spec.stage is Stage.CONTROL
        row.best = math.inf if end.best is None else end.best
        own = f", {self._settings.objective} {end.value:.3f}" if end.value is not None else ""
        best = f", best of {spec.cell} {end.best:.3f}" if end.best is not None else ""
        why = f" ({end.reason})" if end.state is TrialState.FAIL else ""
        self._line(f"{spec.key} {_WORDS[end.state]}{why}{own}{best}")

    def noted(self, sentence: str) -> None:
        """A sentence for the reader."""
        self.say(sentence)

    def say(self, sentence: str) -> None:
        """Print a sentence above the table."""
        say(self._console, sentence)

    def _line(self, sentence: str) -> None:
        if self._live:
            self._refresh()
        else:
            done = sum(row.ended + row.finals + row.controls for row in self._rows.values())
            left = f"at most {self._minutes_left()} left"
            self.say(f"{time.strftime('%H:%M:%S')} {sentence} ({done} of {self._total()}, {left})")

    def _trials(self, row: _Row) -> int:
        return max(self._settings.budget.trials, row.ended)  # continuations are additional trials

    def _total(self) -> int:
        return sum(self._trials(row) + self._finals + self._controls(row.cell) for row in self._rows.values())

    def _now(self, rows: list[_Row]) -> str:
        """How far the running trials of these cells are, or which architecture they wait for."""
        running = [epochs for row in rows for epochs in row.running.values()]
        if running:
            return running[0] if len(running) == 1 else f"{running[0]} +{len(running) - 1}"
        for row in rows:
            parent = self._rows.get(row.cell.pretrained_by or "")
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
        for rows in self._pairs():
            ended, failed, best = (
                sum(r.ended for r in rows),
                sum(r.failed for r in rows),
                min(r.best for r in rows),
            )
            total = sum(self._trials(row) for row in rows)
            table.add_row(
                rows[0].cell.key + (f" ×{len(rows)}" if len(rows) > 1 else ""),
                f"{ended}/{total}",
                ProgressBar(total=total, completed=ended, width=6),
                self._now(rows),
                str(sum(row.pruned for row in rows) or ""),
                f"[red]{failed}[/red]" if failed else "",
                f"{best:.3f}" if math.isfinite(best) else "",
                f"{sum(row.finals for row in rows)}/{len(rows) * self._finals}",
            )
        return table

    def _pairs(self) -> list[list[_Row]]:
        """The rows of each (dataset, architecture)."""
        pairs: dict[tuple[str, str], list[_Row]] = {}
        for row in self._rows.values():
            pairs.setdefault(row.cell.pair, []).append(row)
        return list(pairs.values())

    @property
    def _finals(self) -> int:
        """Finals of a cell."""
        return self._settings.finals.configurations * self._settings.finals.seeds

    def _controls(self, cell: Cell) -> int:
        """Controls of a cell, if every final starts from a trained network."""
        return self._finals if self._settings.controls and cell.pretrained_by else 0

    def _minutes_left(self) -> str:
        """An upper bound, since it assumes that no trial is pruned; before the first epoch, of what was measured."""
        known = {key: row.seconds / row.epochs for key, row in self._rows.items() if row.epochs}
        if not known and self._pace is None:
            return "?"
        # Cells of which no epoch is known yet are as much slower than expected as the others.
        slower = (
            sum(seconds / self._expected(key) for key, seconds in known.items()) / len(known) if known else 1
        )
        left = 0.0
        for key, row in self._rows.items():
            runs = max(0, self._settings.budget.trials - row.ended) + self._finals - row.finals
            runs += self._controls(row.cell) - row.controls
            report = known.get(key, slower * self._expected(key))
            left += report * row.cell.epochs / self._settings.budget.epochs_per_report * runs
        running = sum(len(row.running) for row in self._rows.values())
        together = max(1, running) if known or self._pace is None else self._pace.parallel
        return f"{left / together / 60:.0f} min"

    def _expected(self, key: str) -> float:
        """Seconds between two reports of a cell's trial; where nothing was measured, cells are taken as alike."""
        if self._pace is None:
            return 1.0
        return self._pace.epochs[self._rows[key].cell.pair] * self._settings.budget.epochs_per_report
