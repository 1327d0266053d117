"""From the study's words to Optuna's pruners."""

import optuna
import pytest
from optuna.trial import TrialState

from study.search.search_space import make_pruner
from study.settings.schema import SearchSettings

EPOCHS = 8


def pruned_at(curves, **search):
    """The epoch at which each trial is pruned, None for the complete ones."""
    study = optuna.create_study(pruner=make_pruner(SearchSettings(**search), EPOCHS))
    ends = []
    for curve in curves:
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


def test_warm_up_is_a_quarter_of_the_epochs_unless_it_is_given():
    assert [SearchSettings().warmup_of(epochs) for epochs in (1, 6, 16, 100)] == [1, 2, 4, 25]
    assert SearchSettings(warmup_epochs=3).warmup_of(100) == 3
