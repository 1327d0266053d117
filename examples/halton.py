"""A sampler in one file: the Halton sequence, which fills the search space evenly.

    python -m study.launch demo --name plug --plugins "[examples/halton.py]" --search.sampler halton

Nothing here is drawn independently, so the report's curve "expected best of n random trials" leaves its trials out.
"""

from optuna.samplers import BaseSampler, QMCSampler

from models.hyperparameters import Space
from study.settings.choices.samplers import Sampler, register_sampler
from study.settings.sections.search import SearchSettings


def halton(_search: SearchSettings, _space: Space, seed: int) -> BaseSampler:
    """Scrambled by the seed, which is the same for all trials of a cell."""
    return QMCSampler(qmc_type="halton", scramble=True, seed=seed, warn_independent_sampling=False)


register_sampler(Sampler("halton", halton, "scrambled Halton sequence", one_sequence=True, conditional=False))
