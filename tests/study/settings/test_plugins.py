"""Plug-ins of a study: each may add to any table, and one that adds to none is refused."""

import pytest

from data_utils import layouts
from models.architectures import ARCHITECTURES
from models.metrics import METRICS
from models.metrics.table import ADDED
from study.comparison.formats import FORMATS
from study.errors import UsageError
from study.settings.choices.pruners import PRUNERS
from study.settings.choices.samplers import SAMPLERS
from study.settings.sources import load_settings, preset_or_file
from tests.support.tables import restored

PLUGINS = {
    "architecture": """
from dataclasses import replace
from models.architectures import architecture, register
register(replace(architecture("unet"), name="mine"))
""",
    "metric": """
from models.metrics import register_metric
register_metric("mine", lambda prediction, truth: prediction.mean((1, 2, 3)), "lower")
""",
    "sampler": """
from optuna.samplers import RandomSampler
from study.settings.choices.samplers import Sampler, register_sampler
register_sampler(Sampler("mine", lambda search, space, seed: RandomSampler(seed), draws_at_random=True))
""",
    "pruner": """
from optuna.pruners import ThresholdPruner
from study.settings.choices.pruners import Pruner, register_pruner
register_pruner(Pruner("mine", lambda search, epochs: ThresholdPruner(upper=20.0)))
""",
    "format": """
from study.comparison.formats import Format, register_format
register_format(Format("mine", lambda trivial, summaries: "", ".mine"))
""",
    "layout": """
from data_utils.layouts import LayoutKind, register_layout
register_layout(LayoutKind("mine", "of mine", lambda tree: None))
""",
}


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    layouts.known_layouts()
    restored(monkeypatch, ARCHITECTURES, METRICS, SAMPLERS, PRUNERS, FORMATS)
    monkeypatch.setattr(layouts, "_TABLE", list(layouts._TABLE))
    added = dict(ADDED)
    yield
    ADDED.clear()
    ADDED.update(added)


def settings(file, **flags):
    return load_settings(preset_or_file("demo"), {"plugins": [str(file)], **flags})


@pytest.mark.parametrize("table", PLUGINS)
def test_a_plugin_adds_to_any_table(table, tmp_path):
    file = tmp_path / f"adds_{table}.py"
    file.write_text(PLUGINS[table])
    assert settings(file, seed=1) == settings(file, seed=1)  # loaded once


def test_a_setting_may_name_what_a_plugin_registers(tmp_path):
    for table in ("sampler", "pruner"):
        file = tmp_path / f"names_{table}.py"
        file.write_text(PLUGINS[table])
        assert getattr(settings(file, search={table: "mine"}).search, table) == "mine"


def test_a_plugin_that_registers_nothing_is_refused_each_time(tmp_path):
    file = tmp_path / "idle.py"
    file.write_text("from study.comparison.formats import FORMATS")
    for _ in range(2):
        with pytest.raises(UsageError, match=r"idle\.py registers nothing"):
            settings(file)
