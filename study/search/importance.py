"""How much each hyperparameter of a cell matters, by Optuna's importance evaluators."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution

from study.search.trial_spec import Parameters

FEWEST_FOR_IMPORTANCE = 8
"""Trials below which importances are noise and are not computed."""


def importances(
    space: Mapping[str, BaseDistribution], trials: Sequence[tuple[Parameters, float]]
) -> dict[str, dict[str, float]]:
    """Importance of each hyperparameter, by evaluator.

    Args:
        space: The cell's search space.
        trials: Parameters and objective of trials that can be compared.

    Returns:
        Of the hyperparameters that vary and that all trials have, which those under a condition need not. Empty where
        importances would say nothing: fewer than two such hyperparameters, fewer than `FEWEST_FOR_IMPORTANCE` trials,
        or the same objective in all of them.
    """
    varied = {
        name: kind
        for name, kind in space.items()
        if not kind.single() and all(name in params for params, _ in trials)
    }
    values = {value for _, value in trials}
    if len(varied) < 2 or len(trials) < FEWEST_FOR_IMPORTANCE or len(values) < 2:
        return {}
    # They load scikit-learn, which takes a second: reports of few trials do without it.
    from optuna.importance import (
        FanovaImportanceEvaluator,
        MeanDecreaseImpurityImportanceEvaluator,
        PedAnovaImportanceEvaluator,
    )

    study = _optuna_study(varied, trials)
    evaluators = {
        "fANOVA": FanovaImportanceEvaluator(seed=0),
        "PED-ANOVA": PedAnovaImportanceEvaluator(),
        "mean decrease of impurity": MeanDecreaseImpurityImportanceEvaluator(seed=0),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return {
            label: dict(optuna.importance.get_param_importances(study, evaluator=evaluator))
            for label, evaluator in evaluators.items()
        }


def _optuna_study(
    space: Mapping[str, BaseDistribution], trials: Sequence[tuple[Parameters, float]]
) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize")
    study.add_trials(
        [
            optuna.trial.create_trial(
                params={name: params[name] for name in space}, distributions=dict(space), value=value
            )
            for params, value in trials
        ]
    )
    return study
