"""From the study's words to Optuna's pruners."""

from copy import deepcopy

import numpy as np
import optuna
import pytest
from optuna.pruners import SuccessiveHalvingPruner
from optuna.trial import TrialState

from study.errors import UsageError
from study.search.strategies.pruners import make_pruner
from study.settings.choices.pruners import PRUNERS, Pruner, register_pruner
from study.settings.sections.search import SearchSettings
from study.settings.sources import load_settings, preset_or_file
from tests.support.simulated import run, states, study_settings
from tests.support.tables import restored

EPOCHS = 8


def pruned_at(curves, **search):
    """The epoch at which each trial is pruned, None for the complete ones."""
    return decisions(curves, make_pruner(SearchSettings(**search), EPOCHS))


def decisions(curves, pruner, again_from=None):
    """The same by a pruner, which a fresh one like it replaces before a trial."""
    fresh, study = deepcopy(pruner), optuna.create_study(pruner=deepcopy(pruner))
    ends = []
    for number, curve in enumerate(curves):
        if number == again_from:
            study.pruner = fresh
        trial, end = study.ask(), None
        for epoch, value in enumerate(curve, start=1):
            trial.report(value, epoch)
            if epoch < EPOCHS and trial.should_prune():
                end = epoch
                break
        if end is None:
            study.tell(trial, min(curve))
        else:
            study.tell(trial, state=TrialState.PRUNED)
        ends.append(end)
    return ends


def test_by_default_the_better_half_passes_a_quarter_and_a_half_of_the_epochs():
    good, fair, poor = ([level] * EPOCHS for level in (10.0, 15.0, 20.0))
    assert pruned_at([fair, poor, good, fair]) == [None, 2, None, 4]


@pytest.mark.parametrize("pruner", ["halving", "hyperband"])
def test_a_bad_epoch_at_a_rung_costs_no_trial_that_was_good_before(pruner):
    steady, spiked = [10.0] * EPOCHS, [9.0, 40.0, 9.0, 40.0, *[9.0] * 4]
    assert pruned_at([steady, spiked], pruner=pruner) == [None, None]


@pytest.mark.parametrize("factor", [2, 3])
def test_halving_decides_as_optunas_would_of_the_best_so_far(factor):
    random = np.random.default_rng(factor)
    curves = np.minimum.accumulate(random.normal(size=(60, EPOCHS)), axis=1).tolist()
    optunas = SuccessiveHalvingPruner(min_resource=2, reduction_factor=factor)
    ours = make_pruner(SearchSettings(reduction_factor=factor), EPOCHS)
    assert decisions(curves, ours) == decisions(curves, optunas)
    # A driver that goes on with a search reads what was reached before.
    assert decisions(curves, ours, again_from=30) == decisions(curves, optunas)


def test_warm_up_is_a_quarter_of_the_epochs_unless_it_is_given():
    assert [SearchSettings().warmup_of(epochs) for epochs in (1, 6, 16, 100)] == [1, 2, 4, 25]
    assert SearchSettings(warmup_epochs=3).warmup_of(100) == 3


@pytest.mark.parametrize("word", list(PRUNERS))
def test_every_word_makes_a_pruner_of_optuna(word):
    assert isinstance(make_pruner(SearchSettings(pruner=word), EPOCHS), optuna.pruners.BasePruner)


def test_an_unknown_word_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"search\.pruner is 'asha'.*halving, hyperband"):
        load_settings(preset_or_file("demo"), {"search": {"pruner": "asha"}})


def test_a_registered_pruner_that_keeps_rungs_decides_as_the_built_in_one(monkeypatch):
    restored(monkeypatch, PRUNERS)
    built_in = PRUNERS["halving"].make
    register_pruner(Pruner("mine", built_in, keeps_rungs=True))
    halving, mine = (
        run(study_settings(search={"pruner": word, "warmup_epochs": 2}))[0] for word in ("halving", "mine")
    )
    ends = [
        {cell.key: states(ledger.search(cell.key)) for cell in ledger.cells} for ledger in (halving, mine)
    ]
    assert ends[0] == ends[1]
    assert any(count["PRUNED"] for count in ends[1].values())
