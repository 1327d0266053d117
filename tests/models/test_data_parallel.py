"""Two processes that share each batch give what one gives with the whole of it, to the rounding of float32."""

import multiprocessing

import pytest
import torch
from torch import nn

from models.batch_norm import SharedBatchNorm, synchronise
from models.collectives import gathered, join, leave, mean, total
from tests.support.synthetic import CPU
from tests.support.together import CASES, as_second, digest, trained


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Every case, trained by this process and another one: the results here, and the other's weights."""
    meeting = tmp_path_factory.mktemp("ranks") / "meeting"
    fresh = multiprocessing.get_context("spawn")
    ours, theirs = fresh.Pipe()
    second = fresh.Process(target=as_second, args=(meeting, theirs), daemon=True)
    second.start()
    try:
        join(0, 2, meeting, CPU)
        results = {name: trained(case, 0, 2) for name, case in CASES.items()}
        assert ours.poll(300)
        others = ours.recv()
    finally:
        leave()
        second.kill()
    return results, others


@pytest.mark.parametrize("name", CASES)
def test_two_processes_train_as_one_with_the_whole_batch(name, together):
    two, one = together[0][name], trained(CASES[name])
    for network, gradient in one.gradients.items():
        error = (two.gradients[network] - gradient).norm() / gradient.norm()
        assert error < 1e-4, (network, error)
    for ours, alone in zip(two.losses, one.losses, strict=True):
        assert ours == pytest.approx(alone, rel=1e-3, abs=1e-5)
    assert two.tensors.keys() == one.tensors.keys()


@pytest.mark.parametrize("name", CASES)
def test_both_processes_end_with_the_same_weights(name, together):
    results, others = together
    assert digest(results[name].tensors) == others[name]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_batch_norm_over_all_ranks_is_torchs_own_where_there_is_one(layout):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 3, 5, 6, generator=generator).mul(3).add(7).to(memory_format=layout)
    plain = nn.Sequential(nn.BatchNorm2d(3))
    nn.init.uniform_(plain[0].weight, 0.5, 2, generator=generator)
    nn.init.uniform_(plain[0].bias, -1, 1, generator=generator)
    shared = nn.Sequential(nn.BatchNorm2d(3))
    shared.load_state_dict(plain.state_dict())
    weights = shared[0].weight
    synchronise(shared)
    assert isinstance(shared[0], SharedBatchNorm)
    assert shared[0].weight is weights
    results = []
    for network in (plain, shared):
        image = x.clone().requires_grad_()
        answer = network(image)
        answer.pow(3).sum().backward()
        tensors = [answer, image.grad, network[0].weight.grad, network[0].bias.grad]
        results.append([*tensors, *network.state_dict().values(), network.eval()(x)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_alone_a_process_talks_to_nobody():
    values = torch.arange(6.0)
    assert total(values) is values
    assert gathered(values).tolist() == [values.tolist()]
    assert mean(values) == 2.5
