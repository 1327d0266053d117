"""The live table, as a terminal of the usual width shows it."""

import io

import pytest
from rich.console import Console

from study.driver.live_table import Screen
from study.driver.plan import Pace
from study.search.cells import Stage, cells_of
from study.search.trial_spec import End, TrialSpec, TrialState
from study.settings.sources import load_settings, preset_or_file


def test_no_heading_or_name_is_cut_in_80_columns():
    settings = load_settings(preset_or_file("demo"), {"replicates": 10, "budget": {"trials": 20}})
    terminal = io.StringIO()
    cells = cells_of(settings)
    screen = Screen(settings, cells, Console(file=terminal, force_terminal=True, width=80))
    for cell in cells:
        screen.catch_up(cell.key, ended=20, pruned=12, failed=3, best=31.234, finals=1, controls=1)
    with screen:
        pass
    shown = terminal.getvalue()
    assert "…" not in shown
    for words in (
        "scenes/koalarization ×10",
        "200/200",
        "trials",
        "epoch",
        "pruned",
        "failed",
        "best ΔE₀₀",
        "finals",
    ):
        assert words in shown


@pytest.fixture
def demo():
    settings = load_settings(preset_or_file("demo"), {})
    return settings, cells_of(settings)


def test_the_table_shows_epochs_and_what_a_cell_waits_for(demo):
    terminal = io.StringIO()
    trial = TrialSpec("scenes", "unet", Stage.SEARCH, 0, {}, 0, 6)
    with Screen(*demo, Console(file=terminal, force_terminal=True, width=80)) as screen:
        screen.started(trial)
        screen.reported(trial, {"epoch": 4, "train_seconds": 1.0})
        shown = Console(file=io.StringIO(), width=80, record=True)
        shown.print(screen._table())
        rows = {line.split()[0]: line for line in shown.export_text().splitlines() if "/" in line}
    assert "4/6" in rows["scenes/unet"]
    assert "after unet" in rows["scenes/cgan"]


def test_lines_give_the_trials_own_value_the_cells_best_and_how_far_the_study_is(demo):
    piped = io.StringIO()
    trial = TrialSpec("scenes", "unet", Stage.SEARCH, 1, {}, 0, 6)
    with Screen(*demo, Console(file=piped, width=80)) as screen:
        screen.started(trial)
        screen.reported(trial, {"epoch": 6, "train_seconds": 1.0})
        screen.ended(trial, End(TrialState.COMPLETE, "", 14.5, 6, 1.0, None, ended=2, best=12.25))
    plan, line = piped.getvalue().splitlines()
    assert plan == "18 cells, 54 trials, 18 finals and 6 controls."
    assert "complete, ciede2000 14.500, best of scenes/unet 12.250 (2 of 78, at most" in line


def test_the_time_left_is_told_from_the_start_and_follows_what_trials_take(demo):
    settings, cells = demo
    piped = io.StringIO()
    pace = Pace({cell.pair: 10.0 for cell in cells}, concurrent=2, parallel=1)
    trial = TrialSpec("scenes", "unet", Stage.SEARCH, 1, {}, 0, 6)
    with Screen(settings, cells, Console(file=piped, width=80), pace) as screen:
        before = screen._minutes_left()
        screen.started(trial)
        screen.reported(trial, {"epoch": 1, "train_seconds": 20.0})
        assert screen._minutes_left() == f"{2 * int(before.split()[0])} min"
    epochs = sum(4 * cell.epochs for cell in cells) + sum(cell.epochs for cell in cells if cell.pretrained_by)
    assert before == f"{10 * epochs / 60:.0f} min"
    assert piped.getvalue().endswith(f"6 controls; at most about {before}.\n")
