"""The losses of PPO by numbers that can be reckoned by hand: the clip and the penalty."""

import math

import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.distributions import Categorical
from frl.nn import GRUModule, ProbabilisticActor, TensorDictModule, TensorDictSequential, ValueOperator
from frl.objectives import ClipPPOLoss, KLPENPPOLoss


class Table(nn.Module):
    """The same log-probabilities in every state."""

    def __init__(self, *probabilities):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(probabilities).log())

    def forward(self, x):
        return self.logits.expand(*x.shape[:-1], -1)


def actor(*probabilities):
    net = TensorDictModule(Table(*probabilities), ["x"], ["logits"])
    return ProbabilisticActor(net, ["logits"], distribution_class=Categorical)


CRITIC = TensorDictModule(torch.zeros_like, ["x"], ["state_value"])


def batch(*actions, old=(0.5, 0.5), advantage=1.0):
    """What a policy of probabilities `old` did."""
    n = len(actions)
    action, logits = torch.tensor(actions), torch.tensor(old).log().expand(n, -1)
    scalars = {"x": 0.0, "value_target": 0.0, "advantage": advantage}
    steps = {name: torch.full((n, 1), value) for name, value in scalars.items()}
    log_prob = Categorical(logits).log_prob(action)
    return TensorDict({**steps, "action": action, "logits": logits, "sample_log_prob": log_prob}, [n])


@pytest.mark.parametrize(("advantage", "objective"), [(1.0, -1.2), (-1.0, 1.5)])
def test_a_ratio_beyond_the_clip_counts_only_where_it_is_for_the_worse(advantage, objective):
    loss = ClipPPOLoss(actor(0.75, 0.25), CRITIC, clip_epsilon=0.2)
    losses = loss(loss.init(), batch(0, advantage=advantage))
    assert losses["loss_objective"].item() == pytest.approx(objective)
    assert losses["clip_fraction"].item() == 1.0
    assert losses["kl_approx"].item() == pytest.approx(1.5 - 1 - math.log(1.5))


def test_the_penalty_is_the_whole_divergence_from_the_policy_that_acted():
    loss = KLPENPPOLoss(actor(0.75, 0.25), CRITIC, beta=10.0)
    td = batch(0)
    kl = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    losses = loss(loss.init(), td)
    assert losses["kl"].item() == pytest.approx(kl)
    assert losses["loss_objective"].item() == pytest.approx(-1.5 + 10 * kl, abs=1e-5)
    assert loss.divergence(loss.init(), td).tolist() == pytest.approx([kl])


def test_a_penalty_pulls_back_and_none_does_not():
    td = batch(0, 1)  # both actions are as good: only the penalty has a gradient for the ratio of the two

    def gradient(beta):
        loss = KLPENPPOLoss(actor(0.75, 0.25), CRITIC, beta=beta, entropy_coeff=0.0)
        even = td.set("advantage", torch.zeros(2, 1))
        return torch.func.grad(lambda p: loss(p, even)["loss"])(loss.init())["actor", "module", "0", "module", "logits"]

    assert gradient(0.0).tolist() == [0.0, 0.0]
    assert gradient(1.0).tolist() == pytest.approx([0.25, -0.25])  # new − old


def test_the_penalty_needs_the_distributions_that_acted():
    loss = KLPENPPOLoss(actor(0.5, 0.5), CRITIC)
    with pytest.raises(KeyError, match="KLPENPPOLoss: the batch has no entry 'logits'"):
        loss(loss.init(), batch(0).exclude("logits"))


def test_networks_with_a_memory_are_read_from_the_state_that_the_batch_begins_with():
    with torch.random.fork_rng(devices=[]):
        head = TensorDictModule(nn.Linear(4, 2), ["h"], ["logits"])
        net = TensorDictSequential(GRUModule(3, 4, in_key="x", out_key="h"), head)
        policy = ProbabilisticActor(net, ["logits"], distribution_class=Categorical, return_log_prob=True)
        loss = ClipPPOLoss(policy, ValueOperator(nn.Linear(3, 1), ["x"]))
    xs, state = random.normal((2, 5, 3), random.key(0)), random.normal((2, 1, 4), random.key(1))
    is_init = torch.zeros(2, 5, 1, dtype=torch.bool).index_fill(1, torch.tensor([3]), True)
    steps = []
    for t, key in enumerate(random.split(random.key(2), 5)):
        td = TensorDict({"x": xs[:, t], "is_init": is_init[:, t], "recurrent_state": state}, [2])
        acted = policy(td, key=key).detach()
        state = acted["next", "recurrent_state"]
        steps.append(acted.exclude("next", "h"))
    scalars = {"advantage": torch.ones(2, 5, 1), "value_target": torch.zeros(2, 5, 1)}
    losses = loss(loss.init(), torch.stack(steps, 1).update(scalars))
    assert losses["loss_objective"].item() == pytest.approx(-1.0)  # every ratio is 1
    assert losses["kl_approx"].item() == pytest.approx(0.0, abs=1e-6)
