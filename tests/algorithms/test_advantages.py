"""Advantages of collected steps, returns, and the rows that a minibatch is made of."""

import pytest
import torch
from torch import nn

from frl import TensorDict, random, specs
from frl.algorithms import ActorCritic, actor_critic, advantages
from frl.algorithms.advantages import returns, rows
from frl.distributions import Categorical
from frl.nn import GRUModule, ProbabilisticActor, TensorDictModule, TensorDictSequential

ONES = TensorDictModule(lambda x: x, ["x"], ["state_value"])


def table() -> ActorCritic:
    """A policy of no interest, and a critic that takes a state's own number for its value."""
    net = TensorDictModule(lambda x: x.expand(*x.shape[:-1], 2), ["x"], ["logits"])
    return ActorCritic(ProbabilisticActor(net, ["logits"], distribution_class=Categorical), ONES, lambda key: params())


def params() -> TensorDict:
    return TensorDict({"actor": {}, "critic": {}})


def batch(terminated: list[bool], truncated: list[bool]) -> TensorDict:
    """One environment whose states are worth 1, 2, 3, …, and whose every reward is 1."""
    count = len(terminated)
    x = torch.arange(1.0, count + 2).unsqueeze(-1)
    flags = {
        "terminated": torch.tensor([terminated]).unsqueeze(-1),
        "truncated": torch.tensor([truncated]).unsqueeze(-1),
    }
    after = {"x": x[None, 1:], "reward": torch.ones(1, count, 1), **flags}
    zeros = torch.zeros(1, count)
    return TensorDict({"x": x[None, :-1], "action": zeros, "sample_log_prob": zeros, "next": after}, [1, count])


def test_the_end_of_a_batch_and_a_time_limit_are_bootstrapped_and_termination_is_not():
    td = batch([False, True, False, False], [False, False, True, False])
    data = advantages(table(), params(), td, gamma=0.5, lambda_=1.0)
    assert data["value_target"].flatten().tolist() == [1.5, 1.0, 3.0, 3.5]  # 1 + ½·1, 1, 1 + ½·4, 1 + ½·5
    assert data["advantage"].flatten().tolist() == [0.5, -1.0, 0.0, -0.5]
    assert data["state_value"].flatten().tolist() == [1.0, 2.0, 3.0, 4.0]
    assert "next" not in data


def test_returns_are_bootstrapped_nowhere():
    td = batch([False, True, False, False], [False, False, True, False])
    assert returns(td, 0.5)["advantage"].flatten().tolist() == [1.5, 1.0, 1.0, 1.0]


def test_gradients_flow_into_the_discount_and_the_trace():
    td = batch([False, False], [False, False])

    def first(gamma: torch.Tensor, lambda_: torch.Tensor) -> torch.Tensor:
        return advantages(table(), params(), td, gamma, lambda_)["advantage"][0, 0, 0]

    grads = torch.func.grad(first, (0, 1))(torch.tensor(0.5), torch.tensor(0.5))
    # δ₀ + γλ δ₁ with δ₀ = 2γ, δ₁ = 3γ − 1
    assert [x.item() for x in grads] == pytest.approx([2 + 0.5 * (6 * 0.5 - 1), 0.5 * 0.5])


def test_several_axes_of_environments_stay():
    td = batch([False] * 3, [False] * 3).unsqueeze(0).expand(2, 1, 3)
    assert advantages(table(), params(), td, 0.5, 0.5)["advantage"].shape == (2, 1, 3, 1)


def test_steps_are_rows_of_networks_without_memory_time_first():
    networks = actor_critic(specs.Composite({"observation": specs.Unbounded(3)}), specs.OneHot(2), (4,))
    td = TensorDict({"t": torch.arange(6.0).reshape(2, 3, 1)}, [2, 3])
    assert rows(networks, td)["t"].flatten().tolist() == [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]


def test_sequences_are_rows_of_networks_with_a_memory():
    with torch.random.fork_rng(devices=[]):
        head = TensorDictModule(nn.Linear(4, 2), ["embed"], ["logits"])
        net = TensorDictSequential(GRUModule(3, 4), head)
    actor = ProbabilisticActor(net, ["logits"], distribution_class=Categorical)
    networks = table()._replace(actor=actor)
    assert networks.recurrent
    for shape in ((5,), (2, 5), (3, 2, 5)):
        td = TensorDict({"t": random.uniform((*shape, 1), random.key(0))}, shape)
        assert torch.equal(rows(networks, td)["t"], td["t"].reshape(-1, 5, 1))
