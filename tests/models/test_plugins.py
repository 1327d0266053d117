"""An architecture, a metric, a sampler and an export format of one's own, each in one file outside the packages."""

import json
import shutil

import pytest
import torch

from models.architectures import ARCHITECTURES, architecture, known, seeded_build
from models.plugins import load_packed, load_plugin, packed
from models.settings import ModelSettings
from tests.conftest import ROOT, run_module
from tests.support.synthetic import CPU, images
from tests.support.tables import restored

NAMES = ("tiny_colorizer.py", "worst_colours.py", "halton.py", "html_table.py")
EXAMPLES = [str(ROOT / "examples" / name) for name in NAMES]
STUDY = f"""
name: plug
plugins: {EXAMPLES}
architectures: [unet, tiny]
datasets:
  fruit: {{root: "drawn:fruit", train_limit: 32, validation_limit: 16}}
model: {{image_size: 16, width: 4, device: cpu}}
budget: {{trials: 2, epochs: 1}}
search: {{sampler: halton}}
finals: {{seeds: 1}}
replicates: 1
seed: 0
controls: false
resources: {{max_concurrent_trials: 1}}
tracking: {{pictures_per_trial: 0}}
"""


@pytest.fixture
def restored_registry(monkeypatch):
    restored(monkeypatch, ARCHITECTURES)


def test_the_examples_stand_beside_what_comes_with_the_software(tmp_path):
    file = tmp_path / "plug.yaml"
    file.write_text(STUDY)
    done = run_module("study.launch", file, "--home", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    exported = run_module("study.export", "--name", "plug", "--home", tmp_path, "--format", "json")
    rows = {row["architecture"]: row for row in json.loads(exported.stdout)}
    assert set(rows) == {"unet", "tiny"}
    assert set(rows["tiny"]["parameters"]) == {"learning_rate", "weight_decay"}
    for row in rows.values():
        assert row["complete"] == 2
        assert row["test"]["ciede2000_p95"]["mean"] > row["test"]["ciede2000"]["mean"]
    table = tmp_path / "table.html"
    exported = run_module("study.export", "--name", "plug", "--home", tmp_path, "--output", table)
    assert exported.returncode == 0, exported.stderr
    assert table.read_text().count("<tr>") == 1 + 2 + 4  # headings, cells, trivial predictions
    page = (tmp_path / "plug" / "report.html").read_text()
    assert "ciede2000_p95" in page
    assert "fruit expected best" not in page  # none of these trials was drawn at random


def test_a_file_travels_to_machines_that_do_not_have_it(tmp_path, restored_registry):
    file = tmp_path / "travelling.py"
    shutil.copy(ROOT / "examples" / "tiny_colorizer.py", file)
    parcel = packed([str(file)])
    file.unlink()
    load_packed(parcel)
    assert "tiny" in known()


def test_the_example_with_vgg16s_vector_trains_on_either_target(restored_registry):
    load_plugin(str(ROOT / "examples" / "vector_unet.py"))
    one, batch = architecture("vector_unet"), images("koalarization")
    for target in ("rgb", "luma_kept"):
        learner = seeded_build(one, ModelSettings(width=4, target=target), one.textbook, CPU, 0)
        learner.train_step(batch)
        other = learner.predict(batch.grey, batch.features + 1)
        assert not torch.equal(learner.predict(batch.grey, batch.features), other)
