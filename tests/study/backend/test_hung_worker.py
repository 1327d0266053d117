"""A process that hangs is ended, and its trial goes on in another."""

import os
import signal
from pathlib import Path

from benchmarks.noop_study import NoopTrial, conductor_on_disk, noop_settings
from study.backend import watch
from study.backend.ray_cluster import ray_cluster
from study.backend.ray_tuner import run_trials
from study.search.trial_spec import TrialState
from study.settings.study_folder import StudyHome


def test_a_stopped_process_is_replaced(tmp_path, monkeypatch):
    for name in ("_LEAST_TOLD", "_LEAST_ENDED"):
        monkeypatch.setattr(watch, name, 3.0)
    witness = str(tmp_path / "stopped")

    class HangsOnce(NoopTrial):
        def step(self):
            if self._spec.number == 1 and self._epoch == 2 and not Path(witness).exists():
                Path(witness).touch()
                os.kill(os.getpid(), signal.SIGSTOP)
            return super().step()

    settings, home = noop_settings(1, trials=3, epochs=6, pruner="none"), StudyHome(tmp_path / "noop")
    conductor = conductor_on_disk(settings, home, [])
    said = []
    with ray_cluster(None, lambda: None, said.append):
        run_trials(HangsOnce, settings, home, conductor, said.append)
    assert Path(witness).exists()
    assert any("its process is ended, and it is tried again" in sentence for sentence in said), said
    (cell,) = conductor.cells
    assert cell.states[TrialState.COMPLETE] == 3
