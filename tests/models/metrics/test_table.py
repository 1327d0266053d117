from collections.abc import Iterator

import pytest
import torch

from models.errors import ModelError
from models.metrics import METRICS, image_quantities, register_metric, summarise
from models.metrics.table import ADDED
from tests.support.tables import restored


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    restored(monkeypatch, METRICS)
    added = dict(ADDED)
    yield
    ADDED.clear()
    ADDED.update(added)


def test_an_added_metric_is_measured_and_listed() -> None:
    register_metric(
        "brightest", lambda p, _: p.amax(dim=(1, 2, 3)), "higher", unit="u", definition="brightest"
    )
    prediction = torch.full((2, 3, 16, 16), -0.5)
    prediction[1] = 7
    quantities = image_quantities(prediction, torch.zeros(2, 3, 16, 16))
    assert quantities["brightest"].tolist() == pytest.approx([-0.5, 1.0])
    assert summarise(quantities)["brightest"] == pytest.approx(0.25)
    assert METRICS["brightest"].unit == "u"
    assert "brightest" not in image_quantities(prediction, prediction, quick=True)


def test_a_taken_name_is_refused() -> None:
    with pytest.raises(ModelError, match="'psnr'"):
        register_metric("psnr", lambda p, _: p, "higher")
