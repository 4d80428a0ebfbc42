"""The losses of TD3: the lesser critic, the smoothed target, and whose gradient reaches whom."""

import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.nn import Actor, TensorDictModule
from frl.objectives import TD3Loss
from frl.specs import Bounded, OneHot
from tests.traced import traced

KEY = random.key(0)


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, *inputs):
        return self.factor * torch.stack(inputs).prod(0)


def loss_of(**settings):
    actor = Actor(Times(0.5))  # π(s) = s / 2
    qvalue = TensorDictModule(Times(1.0), ["observation", "action"], ["state_action_value"])  # Q(s, a) = q s a
    settings = {"policy_noise": 0.0, **settings}
    return TD3Loss(actor, qvalue, Bounded(-1.0, 3.0, 1), **settings).make_value_estimator(gamma=0.5)


def params(qvalue=(3.0, 2.0), actor=0.5):
    trained = {
        "actor": {"module": {"factor": torch.tensor(actor)}},
        "qvalue": {"module": {"factor": torch.tensor(qvalue)}},
    }
    return TensorDict({**trained, "target": trained})


def batch(size=1, **after):
    after = {
        "observation": torch.ones(size, 1),
        "reward": torch.ones(size, 1),
        "done": torch.zeros(size, 1).bool(),
        **after,
    }
    return TensorDict({"observation": torch.ones(size, 1), "action": torch.ones(size, 1), "next": after}, [size])


def test_the_losses_are_those_of_the_paper():
    losses = loss_of()(params(), batch(), KEY)
    assert losses["target_value"].tolist() == [1.5]  # 1 + 0.5 · min(3, 2) · 0.5
    assert losses["loss_qvalue"].item() == 1.5**2 + 0.5**2
    assert losses["loss_actor"].item() == -1.5  # the first critic's, 3 · 0.5
    assert (losses["td_error"].tolist(), losses["pred_value"].tolist()) == ([1.5], [2.5])


def test_each_loss_reaches_its_own_parameters_alone():
    value = torch.func.grad(lambda p: loss_of()(p, batch(), KEY)["loss_qvalue"])(params())
    actor = torch.func.grad(lambda p: loss_of()(p, batch(), KEY)["loss_actor"])(params())
    assert value["qvalue", "module", "factor"].tolist() == [3.0, 1.0]
    assert actor["actor", "module", "factor"].item() == -3.0
    zeros = [value["actor"], value["target"], actor["qvalue"], actor["target"]]
    assert not any(x.any() for grads in zeros for _, x in grads.items(True, True))


def test_noise_on_the_targets_action_is_clipped_in_half_widths_and_stays_within_the_bounds():
    loss = loss_of(policy_noise=100.0, noise_clip=0.25)  # half the width of [-1, 3] is 2
    target = loss(params((1.0, 1.0)), batch(200), KEY)["target_value"]
    assert set(target.tolist()) == {1.0, 1.5}  # 1 + 0.5 · (0.5 ± 0.5)
    wide = loss_of(policy_noise=100.0, noise_clip=100.0)(params((1.0, 1.0)), batch(200), KEY)["target_value"]
    assert (wide.min(), wide.max()) == (0.5, 2.5)  # of the bounds, -1 and 3


def test_termination_alone_ends_the_future():
    ends = torch.tensor([[True], [False]])
    after = {"terminated": ends, "truncated": ~ends, "done": torch.ones(2, 1).bool()}
    assert loss_of()(params(), batch(2, **after), KEY)["target_value"].tolist() == [1.0, 1.5]


def test_the_discount_of_n_step_replay_is_taken_as_it_is():
    after = {"discount": torch.full((1, 1), 0.25)}
    assert loss_of()(params(), batch(1, **after), KEY)["target_value"].tolist() == [1.25]


def test_the_loss_of_the_values_has_a_gradient_for_a_discount_that_is_a_tensor():
    def loss(gamma):
        return loss_of().make_value_estimator(gamma=gamma)(params(), batch(), KEY)["loss_qvalue"]

    assert torch.func.grad(loss)(torch.tensor(0.5)).item() == -4.0  # of (2 − γ)² + (1 − γ)²


def test_fresh_critics_start_apart_and_targets_as_they_are():
    with torch.random.fork_rng(devices=[]):
        loss = TD3Loss(
            Actor(nn.Linear(1, 1)),
            TensorDictModule(nn.Bilinear(1, 1, 1), ["observation", "action"], ["state_action_value"]),
            Bounded(-1.0, 1.0, 1),
            num_qvalue_nets=3,
        )
    found = loss.init(KEY)
    weight = found["qvalue", "module", "weight"]
    assert weight.shape[0] == 3 == len(weight.unique())
    assert torch.equal(found["target", "qvalue", "module", "weight"], weight)


def test_traced_and_vmapped_it_is_itself():
    loss = loss_of(policy_noise=0.2)
    expected = loss(params(), batch(4), KEY)
    found = traced(lambda p, b, k: loss(p, b, k))(params(), batch(4), KEY)
    both = torch.vmap(lambda k: loss(params(), batch(4), k))(torch.stack([KEY, random.key(1)]))
    for name, x in expected.items():
        torch.testing.assert_close(found[name], x)
        torch.testing.assert_close(both[name][0], x)


@pytest.mark.parametrize("spec", [OneHot(2), Bounded(-torch.inf, 1.0, 1)])
def test_actions_without_finite_bounds_are_refused(spec):
    with pytest.raises(TypeError, match="must be Bounded, of floats, with finite bounds"):
        TD3Loss(Actor(Times(1.0)), Actor(Times(1.0)), spec)
