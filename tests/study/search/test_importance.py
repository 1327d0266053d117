"""Which hyperparameter a search found to matter."""

import numpy as np

from study.search.importance import FEWEST_FOR_IMPORTANCE, importances
from study.search.search_space import distributions
from study.settings.space import searched

SPACE = distributions(searched("cgan", {}, pretrained=False))


def random_trials(count):
    """Random trials whose objective depends on the learning rate alone."""
    rng = np.random.default_rng(0)
    trials = []
    for _ in range(count):
        params = {
            "learning_rate": float(10 ** rng.uniform(-5, -2)),
            "discriminator_learning_rate": float(10 ** rng.uniform(-6, -2)),
            "l1_weight": float(10 ** rng.uniform(0, 3)),
            "epsilon": float(10 ** rng.uniform(-12, -3)),
            "generator_init": "scratch",
        }
        trials.append((params, 10 + 3 * float(np.log10(params["learning_rate"]) + 3.5) ** 2))
    return trials


def test_every_evaluator_finds_the_parameter_that_matters():
    found = importances(SPACE, random_trials(60))
    assert set(found) == {"fANOVA", "PED-ANOVA", "mean decrease of impurity"}
    for values in found.values():
        assert max(values, key=lambda name: values[name]) == "learning_rate"
        assert "generator_init" not in values  # it has one option here


def test_there_are_none_where_they_would_be_noise():
    trials = random_trials(FEWEST_FOR_IMPORTANCE)
    assert importances(SPACE, trials)
    assert importances(SPACE, trials[1:]) == {}
    assert importances(SPACE, [(params, 10.0) for params, _ in trials]) == {}
    assert importances({"learning_rate": SPACE["learning_rate"]}, trials) == {}
