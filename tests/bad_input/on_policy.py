"""Bad calls of the algorithms that learn from what they have just done, and of their objectives."""

import torch
from torch import nn

from frl import TensorDict, algorithms, functional, objectives
from frl import nn as modules
from frl.distributions import Categorical
from tests.bad_input.case import KEY, TD, bad, ones, zeros
from tests.bad_input.environments import CART
from tests.bad_input.learning import networks

with torch.random.fork_rng(devices=[]):
    NET = modules.TensorDictModule(nn.Linear(4, 2), ["observation"], ["logits"])
    ACTOR = modules.ProbabilisticActor(NET, ["logits"], distribution_class=Categorical)
    CRITIC = modules.ValueOperator(nn.Linear(4, 1))
SEEN, ACTION = CART.single_observation_spec, CART.single_action_spec
DONE = TD.set("action", zeros(3, dtype=torch.int64)).set("sample_log_prob", zeros(3))
SCALARS = {"advantage": ones(3, 1), "value_target": ones(3, 1)}


def loss_of(kind, batch, **settings):
    loss = kind(ACTOR, CRITIC, **settings)
    return loss(loss.init(), batch)


def update(make):
    algorithm = make(networks())
    return algorithm.update(algorithm.init(KEY), DONE, KEY)


def a2c(**settings):
    return algorithms.a2c(networks(), algorithms.A2CConfig(**settings))


def reinforce(**settings):
    return algorithms.reinforce(networks(), algorithms.ReinforceConfig(**settings))


def penalty(**settings):
    return algorithms.ppo_penalty(networks(), algorithms.PPOPenaltyConfig(**settings))


ON_POLICY = {
    "a policy gradient of two shapes": bad(
        lambda: functional.policy_gradient_loss(ones(3), ones(3, 1)),
        *(ValueError, "policy_gradient_loss", "advantage", "[3, 1]", "[3]", "pass both as [*B]"),
    ),
    "a policy gradient of whole numbers": bad(
        lambda: functional.policy_gradient_loss(ones(3), ones(3).long()),
        *(TypeError, "policy_gradient_loss", "advantage", "torch.int64", "convert it by .float()"),
    ),
    "a surrogate of two shapes": bad(
        lambda: functional.surrogate(ones(3, 1), ones(3), ones(3)),
        *(ValueError, "surrogate", "log_prob", "[3, 1]", "[3]", "pass all as [*B]"),
    ),
    "a surrogate of two dtypes": bad(
        lambda: functional.surrogate(ones(3).double(), ones(3), ones(3)),
        *(TypeError, "surrogate", "log_prob", "torch.float64", "convert one by .to(dtype)"),
    ),
    "a coefficient that is a number": bad(
        lambda: functional.adaptive_kl_coefficient(1.0, ones(()), 0.01),  # type: ignore[arg-type]
        *(TypeError, "adaptive_kl_coefficient", "coefficient", "float", "convert it by torch.as_tensor"),
    ),
    "a divergence for each step": bad(
        lambda: functional.adaptive_kl_coefficient(ones(()), ones(3), 0.01),
        *(ValueError, "adaptive_kl_coefficient", "kl", "[3]", "pass the mean over all steps"),
    ),
    "a target of no divergence": bad(
        lambda: functional.adaptive_kl_coefficient(ones(()), ones(()), 0.0),
        *(ValueError, "adaptive_kl_coefficient", "target", "0.0", "must be above 0"),
    ),
    "a policy gradient of a network without a distribution": bad(
        lambda: objectives.A2CLoss(CRITIC, CRITIC),
        *(TypeError, "A2CLoss", "ValueOperator", "no distribution", "pass a ProbabilisticActor"),
    ),
    "a negative cost of the value": bad(
        lambda: objectives.A2CLoss(ACTOR, CRITIC, critic_coeff=-1.0),
        *(ValueError, "A2CLoss", "critic_coeff", "-1.0", "must be at least 0"),
    ),
    "an actor-critic's loss without advantages": bad(
        lambda: loss_of(objectives.A2CLoss, DONE),
        *(KeyError, "A2CLoss", "'advantage'", "add the advantages by frl.algorithms.advantages"),
    ),
    "an advantage without its last axis": bad(
        lambda: loss_of(objectives.A2CLoss, DONE.update({**SCALARS, "advantage": ones(3)})),
        *(ValueError, "'advantage'", "[3]", "[3, 1]", "one number for each step"),
    ),
    "a clip of nothing": bad(
        lambda: objectives.ClipPPOLoss(ACTOR, CRITIC, clip_epsilon=0.0),
        *(ValueError, "ClipPPOLoss", "clip_epsilon", "0.0", "must be above 0"),
    ),
    "a ratio to what is not known": bad(
        lambda: loss_of(objectives.ClipPPOLoss, DONE.update(SCALARS).exclude("sample_log_prob")),
        *(KeyError, "ClipPPOLoss", "'sample_log_prob'", "collect by the policy itself"),
    ),
    "values clipped around unknown ones": bad(
        lambda: loss_of(objectives.ClipPPOLoss, DONE.update(SCALARS), clip_value=0.2),
        *(KeyError, "ClipPPOLoss", "'state_value'", "add the advantages by frl.algorithms.advantages"),
    ),
    "a reward for divergence": bad(
        lambda: objectives.KLPENPPOLoss(ACTOR, CRITIC, beta=-1.0),
        *(ValueError, "KLPENPPOLoss", "beta", "-1.0", "must be at least 0"),
    ),
    "a divergence of a distribution that stands alone": bad(
        lambda: objectives.KLPENPPOLoss(ACTOR[-1], CRITIC),
        *(TypeError, "KLPENPPOLoss", "ProbabilisticTensorDictModule", "pass a ProbabilisticActor"),
    ),
    "a divergence from what is not known": bad(
        lambda: loss_of(objectives.KLPENPPOLoss, DONE.update(SCALARS)),
        *(KeyError, "KLPENPPOLoss", "'logits'", "collect by the policy itself"),
    ),
    "REINFORCE of a deterministic policy": bad(
        lambda: objectives.ReinforceLoss(modules.Actor(lambda x: x)),
        *(TypeError, "ReinforceLoss", "Actor", "no distribution", "pass a ProbabilisticActor"),
    ),
    "a baseline without its target": bad(
        lambda: loss_of(objectives.ReinforceLoss, DONE.set("advantage", ones(3, 1))),
        *(KeyError, "ReinforceLoss", "'value_target'", "add the advantages by frl.algorithms.advantages"),
    ),
    "advantages of steps without successors": bad(
        lambda: algorithms.advantages(networks(), TensorDict({}), DONE, 0.99, 0.95),
        *(KeyError, "advantages", "('next', 'reward')", "make it by collect("),
    ),
    "advantages of actions of nobody": bad(
        lambda: algorithms.advantages(networks(), TensorDict({}), CART.rollout(2, key=KEY), 0.99, 0.95),
        *(KeyError, "advantages", "'sample_log_prob'", "make it by collect("),
    ),
    "a policy with a memory of nothing": bad(
        lambda: algorithms.recurrent_actor_critic(SEEN, ACTION, hidden_size=0),
        *(ValueError, "GRUModule", "hidden_size", "0", "must be at least 1"),
    ),
    "a policy with a memory and no layer before it": bad(
        lambda: algorithms.recurrent_actor_critic(SEEN, ACTION, num_cells=()),
        *(ValueError, "recurrent_actor_critic", "num_cells is empty", "give at least one layer"),
    ),
    "a policy with a memory of a spec of one observation": bad(
        lambda: algorithms.recurrent_actor_critic(ACTION, ACTION),
        *(TypeError, "recurrent_actor_critic", "OneHot", "must be a Composite"),
    ),
    "A2C with a discount above one": bad(
        lambda: a2c(gamma=1.5), ValueError, "a2c", "gamma", "1.5", "must be at most 1"
    ),
    "A2C of a batch without successors": bad(
        lambda: update(algorithms.a2c), KeyError, "('next', 'reward')", "make it by collect("
    ),
    "REINFORCE with no bound on the gradient": bad(
        lambda: reinforce(max_grad_norm=0.0), ValueError, "reinforce", "max_grad_norm", "0.0", "must be above 0"
    ),
    "REINFORCE of a batch without successors": bad(
        lambda: update(algorithms.reinforce), KeyError, "('next', 'reward')", "make it by collect("
    ),
    "a penalty without a target": bad(
        lambda: penalty(kl_target=0.0), ValueError, "ppo_penalty", "kl_target", "0.0", "must be above 0"
    ),
    "a penalty in no passes": bad(
        lambda: penalty(num_epochs=0), ValueError, "ppo_penalty", "num_epochs", "0", "must be at least 1"
    ),
}
