"""The live table, as a terminal of the usual width shows it."""

import io

from rich.console import Console

from study.driver.live_table import Screen
from study.search.cells import cells_of
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
        "running",
        "pruned",
        "failed",
        "best ΔE₀₀",
        "finals",
    ):
        assert words in shown
