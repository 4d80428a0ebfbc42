"""The losses of SAC: the soft target, what the policy and the temperature minimise, and whose gradient reaches whom."""

import math

import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.distributions import OneHotCategorical, TanhNormal
from frl.nn import Actor, ProbabilisticActor, TensorDictModule
from frl.objectives import SACLoss
from tests.traced import traced

KEY = random.key(0)


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, *inputs):
        return self.factor * torch.stack(inputs).prod(0)


class Shifted(nn.Module):
    """The action is tanh(loc + ε)."""

    def __init__(self):
        super().__init__()
        self.loc = nn.Parameter(torch.tensor(0.0))

    def forward(self, x):
        return self.loc.expand_as(x), torch.ones_like(x)


def loss_of(kind=SACLoss, **settings):
    net = TensorDictModule(Shifted(), ["observation"], ["loc", "scale"])
    actor = ProbabilisticActor(net, ["loc", "scale"], distribution_class=TanhNormal)
    qvalue = TensorDictModule(Times(1.0), ["observation", "action"], ["state_action_value"])  # Q(s, a) = q s a
    return kind(actor, qvalue, **settings).make_value_estimator(gamma=0.5)


def params(qvalue=(3.0, 2.0), alpha=0.5, loc=0.25):
    trained = {"qvalue": {"module": {"factor": torch.tensor(qvalue)}}, "log_alpha": torch.tensor(alpha).log()}
    actor = {"module": {"0": {"module": {"loc": torch.tensor(loc)}}}}
    return TensorDict({**trained, "actor": actor, "target": {"qvalue": trained["qvalue"]}})


def batch(size=1, **after):
    no = torch.zeros(size, 1).bool()
    after = {"observation": torch.ones(size, 1), "reward": torch.ones(size, 1), "done": no, **after}
    return TensorDict({"observation": torch.ones(size, 1), "action": torch.ones(size, 1), "next": after}, [size])


def drawn(keys, size=1, loc=0.25):
    """The action and its log-probability that each of the two keys gives."""
    policy = TanhNormal(torch.full((size, 1), loc), torch.ones(size, 1))
    return [policy.rsample_and_log_prob(key) for key in keys]


def test_the_target_is_soft_and_by_the_lesser_critic():
    k_target, _ = random.split(KEY)
    ((action, log_prob),) = drawn([random.split(k_target)[0]], 50)
    losses = loss_of()(params(), batch(50), KEY)
    least = torch.minimum(3 * action, 2 * action).squeeze(-1)
    torch.testing.assert_close(losses["target_value"], 1 + 0.5 * (least - 0.5 * log_prob))


def test_the_losses_of_critics_policy_and_temperature_are_those_of_the_paper():
    ((action, log_prob),) = drawn([random.split(KEY)[1]], 50)
    losses = loss_of()(params(), batch(50), KEY)
    target = losses["target_value"]
    torch.testing.assert_close(losses["loss_qvalue"], ((3 - target) ** 2 + (2 - target) ** 2).mean())
    least = torch.minimum(3 * action, 2 * action).squeeze(-1)
    torch.testing.assert_close(losses["loss_actor"], (0.5 * log_prob - least).mean())
    torch.testing.assert_close(losses["entropy"], -log_prob.mean())
    torch.testing.assert_close(losses["loss_alpha"], math.log(0.5) * (losses["entropy"] + 1))  # one element: −|A| = −1
    assert losses["alpha"].item() == 0.5


def test_each_loss_reaches_its_own_parameters_alone():
    own = {"loss_qvalue": "qvalue", "loss_actor": "actor", "loss_alpha": "log_alpha"}
    for name, part in own.items():
        grads = torch.func.grad(lambda p, name=name: loss_of()(p, batch(4), KEY)[name])(params())
        reached = {key if isinstance(key, str) else key[0] for key, x in grads.items(True, True) if x.any()}
        assert reached == {part}


def test_the_policys_gradient_goes_through_its_action_and_its_log_probability():
    def by_hand(loc):
        action, log_prob = TanhNormal(loc.expand(4, 1), torch.ones(4, 1)).rsample_and_log_prob(random.split(KEY)[1])
        return (0.5 * log_prob - torch.minimum(3 * action, 2 * action).squeeze(-1)).mean()

    grads = torch.func.grad(lambda p: loss_of()(p, batch(4), KEY)["loss_actor"])(params())
    expected = torch.func.grad(by_hand)(torch.tensor(0.25))
    torch.testing.assert_close(grads["actor", "module", "0", "module", "loc"], expected)


def test_a_temperature_falls_while_the_policy_is_too_random():
    for aim, sign in ((-100.0, 1.0), (100.0, -1.0)):
        loss = loss_of(target_entropy=aim)
        grad = torch.func.grad(lambda p, loss=loss: loss(p, batch(), KEY)["loss_alpha"])(params())["log_alpha"]
        assert grad.sign() == sign


def test_losses_and_gradients_are_finite_where_the_policy_is_at_a_bound():
    def loss(p):
        losses = loss_of()(p, batch(8), KEY)
        return losses["loss_actor"] + losses["loss_qvalue"] + losses["loss_alpha"]

    grads, value = torch.func.grad_and_value(loss)(params(loc=60.0))
    assert value.isfinite()
    assert all(x.isfinite().all() for _, x in grads.items(True, True))


def test_termination_alone_ends_the_future():
    ends = torch.tensor([[True], [False]])
    after = {"terminated": ends, "truncated": ~ends, "done": torch.ones(2, 1).bool()}
    target = loss_of()(params(), batch(2, **after), KEY)["target_value"]
    assert target[0] == 1
    assert target[1] != 1


def test_the_discount_of_n_step_replay_and_the_weights_of_prioritised_replay_count():
    steps = batch(1, discount=torch.zeros(1, 1))
    assert loss_of()(params(), steps, KEY)["target_value"].tolist() == [1.0]
    assert loss_of()(params(), steps, KEY)["loss_qvalue"].item() == 5.0  # (3 − 1)² + (2 − 1)²
    weighted = steps.set("_weight", torch.tensor([0.5]))
    assert loss_of()(params(), weighted, KEY)["loss_qvalue"].item() == 2.5


def test_traced_and_vmapped_it_is_itself():
    loss = loss_of()
    expected = loss(params(), batch(4), KEY)
    found = traced(lambda p, b, k: loss(p, b, k))(params(), batch(4), KEY)
    both = torch.vmap(lambda k: loss(params(), batch(4), k))(torch.stack([KEY, random.key(1)]))
    for name, x in expected.items():
        torch.testing.assert_close(found[name], x)
        torch.testing.assert_close(both[name][0], x)


def test_fresh_critics_start_apart_and_the_temperature_at_one():
    with torch.random.fork_rng(devices=[]):
        qvalue = TensorDictModule(nn.Bilinear(1, 1, 1), ["observation", "action"], ["state_action_value"])
    found = SACLoss(loss_of().actor, qvalue).init(KEY)
    assert len(found["qvalue", "module", "weight"].unique()) == 2
    assert found["log_alpha"].item() == 0
    assert list(found["target"]) == ["qvalue"]


def test_a_policy_without_a_density_or_without_gradients_through_samples_is_refused():
    with pytest.raises(TypeError, match="which has no distribution; pass a ProbabilisticActor"):
        SACLoss(Actor(Times(1.0)), Actor(Times(1.0)))
    net = TensorDictModule(Times(1.0), ["observation"], ["logits"])
    actor = ProbabilisticActor(net, ["logits"], distribution_class=OneHotCategorical)
    loss = SACLoss(actor, loss_of().qvalue)
    with pytest.raises(NotImplementedError, match="OneHotCategorical has no reparameterised sample"):
        loss(loss.init(KEY), batch(), KEY)
