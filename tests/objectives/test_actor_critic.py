"""What the losses of a policy and a value share: the value's error, the sum, and what they refuse."""

import math

import pytest
import torch
from torch import nn

from frl import TensorDict
from frl.distributions import Categorical, Normal
from frl.nn import ProbabilisticActor, TensorDictModule, from_module
from frl.objectives import A2CLoss
from frl.objectives.actor_critic import distribution, joint, require_policy, value_loss

LOGITS = TensorDictModule(lambda x: torch.zeros_like(x).expand(-1, 2), ["x"], ["logits"])
ACTOR = ProbabilisticActor(LOGITS, ["logits"], distribution_class=Categorical)
CRITIC = TensorDictModule(lambda x: 2 * x, ["x"], ["state_value"])


def batch():
    """One action of two alike, of advantage 3, in a state of value 2 that should have been 5."""
    numbers = {"x": 1.0, "advantage": 3.0, "value_target": 5.0, "state_value": 1.0}
    steps = {name: torch.full((1, 1), value) for name, value in numbers.items()}
    return TensorDict({**steps, "action": torch.zeros(1, dtype=torch.int64)}, [1])


def test_the_loss_is_the_sum_of_its_parts():
    losses = A2CLoss(ACTOR, CRITIC, critic_coeff=0.5, entropy_coeff=0.1)({"actor": {}, "critic": {}}, batch())
    assert losses["loss_objective"].item() == pytest.approx(3 * math.log(2))
    assert losses["loss_critic"].item() == 4.5  # ½ (2 − 5)²
    assert losses["entropy"].item() == pytest.approx(math.log(2))
    assert losses["loss"].item() == pytest.approx(3 * math.log(2) + 2.25 - 0.1 * math.log(2))


def test_a_value_that_moved_too_far_counts_where_it_was_clipped():
    assert value_loss(CRITIC, {}, batch()).item() == 4.5
    assert value_loss(CRITIC, {}, batch(), clip=0.5).item() == 0.5 * 3.5**2  # (1 + ½ − 5)² is the greater


def test_without_a_clip_the_old_values_need_not_be_there():
    assert A2CLoss(ACTOR, CRITIC)({"actor": {}, "critic": {}}, batch().exclude("state_value"))["loss_critic"] == 4.5
    with pytest.raises(KeyError, match="A2CLoss: the batch has no entry 'state_value'"):
        A2CLoss(ACTOR, CRITIC, clip_value=1.0)({"actor": {}, "critic": {}}, batch().exclude("state_value"))


def test_advantages_are_normalised_over_the_batch():
    two = torch.cat([batch(), batch().set("advantage", torch.full((1, 1), 5.0))])
    losses = A2CLoss(ACTOR, CRITIC, normalize_advantage=True)({"actor": {}, "critic": {}}, two)
    assert losses["loss_objective"].item() == pytest.approx(0.0)  # both actions are as likely, −1 and 1 cancel


def test_the_components_of_an_action_are_summed():
    net = TensorDictModule(lambda x: (x.expand(-1, 2), torch.ones(1, 2)), ["x"], ["loc", "scale"])
    actor = ProbabilisticActor(net, ["loc", "scale"], distribution_class=Normal)
    policy = distribution(actor, {}, batch())
    assert policy.batch_shape == (1, 2)
    assert joint(policy.log_prob(torch.ones(1, 2)), batch()).tolist() == pytest.approx([-math.log(2 * math.pi)])


def test_the_first_parameters_are_those_of_the_networks():
    with torch.random.fork_rng(devices=[]):
        critic = TensorDictModule(nn.Linear(1, 1), ["x"], ["state_value"])
    params = A2CLoss(ACTOR, critic).init()
    assert torch.equal(params["critic", "module", "weight"], from_module(critic)["module", "weight"])


def test_a_policy_without_a_distribution_is_refused():
    with pytest.raises(TypeError, match="A2CLoss: actor is a TensorDictModule, which has no distribution"):
        A2CLoss(CRITIC, CRITIC)
    require_policy("A2CLoss", ACTOR)


@pytest.mark.parametrize("missing", ["action", "advantage", "value_target"])
def test_an_entry_that_is_missing_is_named(missing):
    with pytest.raises(KeyError, match=f"A2CLoss: the batch has no entry '{missing}'.*add the advantages by"):
        A2CLoss(ACTOR, CRITIC)({"actor": {}, "critic": {}}, batch().exclude(missing))
