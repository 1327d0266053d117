"""A study: which auto-colorization architecture is best for a set of images, and how sure that is.

From a notebook, a study is started, resumed and read with the functions of this package, which the commands share:

>>> import study
>>> tiny = study.open("tiny")
>>> tiny
<Study tiny: 3 cells, 12 trials>

Results are pandas frames; the hyperparameters of trials are columns, and so are the quantities of test images.

>>> tiny.cells[["architecture", "trials", "seeds"]]
    architecture  trials  seeds
0  koalarization       4      2
1           unet       4      2
2           cgan       4      2
>>> tiny.trials.query("architecture == 'cgan'")["generator_init"].head(2).tolist()
['scratch', 'unet']
>>> curves = tiny.learning_curves("validation/psnr")
>>> int(curves.groupby(["architecture", "role", "number"])["epoch"].max().max())
3
>>> images = tiny.evaluations()
>>> len(images) == 3 * 2 * images["image"].nunique()
True
>>> tiny.summary().loc[:, ["dataset", "model"]].tail(4)
  dataset        model
3   fruit    grey copy
4   fruit    best tint
5   fruit  mean chroma
6   fruit        white
>>> tiny.verdicts().columns.tolist()
['dataset', 'lower', 'higher', 'verdict', 'lower_by', 'low', 'high', 'p_value', 'replicates', 'further', 'scope']

The champion of a dataset colours photographs at their own resolution:

>>> import numpy as np
>>> tiny.colorizer("fruit").colour(np.full((40, 60), 128, np.uint8)).shape
(40, 60, 3)

What cannot be used is refused with one sentence:

>>> study.open("large")
Traceback (most recent call last):
study.errors.UsageError: There is no study large in runs; the studies there are tiny.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
