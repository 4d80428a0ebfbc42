"""Bad calls of ensembles, and of the losses and algorithms with several critics."""

from functools import partial

import torch
from torch import nn

from frl import TensorDict, algorithms, objectives, specs
from frl import nn as modules
from tests.bad_input.case import KEY, TD, bad, ones
from tests.bad_input.environments import CART
from tests.bad_input.objectives import ACTOR, PENDULUM, VALUE

BOX = specs.Bounded(-1.0, 1.0, 1)
STEPS = TD.set("action", ones(3, 1))
with torch.random.fork_rng():
    LINEAR = nn.Linear(1, 1)


def networks():
    return algorithms.actor_q(PENDULUM.single_observation_spec, PENDULUM.single_action_spec, (4,))


def td3(**settings):
    return algorithms.td3(networks(), algorithms.TD3Config(**settings))


def soft_networks(env=PENDULUM):
    return algorithms.stochastic_actor_q(env.single_observation_spec, env.single_action_spec, (4,))


def sac(**settings):
    return algorithms.sac(soft_networks(), algorithms.SACConfig(**settings))


def redq(env=PENDULUM, **settings):
    return algorithms.redq(soft_networks(env), algorithms.REDQConfig(**settings))


def soft(kind=objectives.SACLoss, **settings):
    return kind(soft_networks().actor, VALUE, **settings)


def choosing(space="one_hot", actor=None):
    return objectives.DiscreteSACLoss(actor or soft_networks(CART).actor, soft_networks(CART).value, space)


def td3_loss(**settings):
    return objectives.TD3Loss(ACTOR, VALUE, BOX, **settings)


CRITICS = {
    "an ensemble of nobody": bad(
        lambda: modules.initialize_ensemble(partial(modules.initialize, LINEAR), 0, KEY),
        *(ValueError, "initialize_ensemble", "num_members", "0", "must be at least 1"),
    ),
    "an ensemble of a module": bad(
        lambda: modules.initialize_ensemble(TD, 2, KEY),  # type: ignore[arg-type]
        *(TypeError, "initialize_ensemble", "init is a TensorDict", "such as partial(initialize, module)"),
    ),
    "members of different number": bad(
        lambda: modules.ensemble_call(LINEAR, {"bias": ones(2, 1), "weight": ones(3, 1, 1)}, ones(1)),
        *(ValueError, "ensemble_call", "weight has 3 members", "bias has 2", "make all by initialize_ensemble"),
    ),
    "an ensemble without members": bad(
        lambda: modules.ensemble_call(LINEAR, TensorDict({}), ones(1)),
        *(ValueError, "ensemble_call", "holds no tensor", "make it by initialize_ensemble"),
    ),
    "smoothing of actions without bounds": bad(
        lambda: objectives.TD3Loss(ACTOR, VALUE, specs.Unbounded(1)),
        *(TypeError, "TD3Loss", "Unbounded", "must be Bounded", "env.single_action_spec"),
    ),
    "no critic of a deterministic policy": bad(
        lambda: td3_loss(num_qvalue_nets=0), ValueError, "TD3Loss", "num_qvalue_nets", "0", "must be at least 1"
    ),
    "twin critics of a batch without actions": bad(
        lambda: td3_loss()(td3_loss().init(KEY), TD, KEY),
        *(KeyError, "TD3Loss", "'action'", "make it by collect or from a replay buffer"),
    ),
    "a target's noise below none": bad(
        lambda: td3(policy_noise=-1.0), ValueError, "td3", "policy_noise", "-1.0", "must be at least 0"
    ),
    "a policy that never moves": bad(
        lambda: td3(policy_period=0), ValueError, "td3", "policy_period", "0", "must be at least 1"
    ),
    "exploration by a network": bad(
        lambda: algorithms.explored_by(td3(), LINEAR),
        *(TypeError, "explored_by", "module is a Linear", "such as OrnsteinUhlenbeckProcessModule"),
    ),
    "exploration by a function": bad(
        lambda: algorithms.explored_by(td3(), torch.tanh),  # type: ignore[arg-type]
        *(TypeError, "explored_by", "must be an exploration module", "such as OrnsteinUhlenbeckProcessModule"),
    ),
    "a soft policy without a distribution": bad(
        lambda: objectives.SACLoss(ACTOR, VALUE),
        *(TypeError, "SACLoss", "actor is a Actor", "no distribution", "pass a ProbabilisticActor"),
    ),
    "a soft loss of a batch without actions": bad(
        lambda: soft()(soft().init(KEY), TD, KEY),
        *(KeyError, "SACLoss", "'action'", "make it by collect or from a replay buffer"),
    ),
    "a subset of more critics than all": bad(
        lambda: soft(objectives.REDQLoss, num_qvalue_nets=3, sub_sample_len=4),
        *(ValueError, "REDQLoss", "sub_sample_len", "4", "must be at most 3"),
    ),
    "a subset of no critic": bad(
        lambda: soft(objectives.REDQLoss, sub_sample_len=0),
        *(ValueError, "REDQLoss", "sub_sample_len", "0", "must be at least 1"),
    ),
    "a soft choice of several": bad(
        lambda: choosing("binary"), ValueError, "DiscreteSACLoss", "'binary'", "several choices", "give one of OneHot"
    ),
    "a soft choice without probabilities": bad(
        lambda: choosing(actor=ACTOR), TypeError, "DiscreteSACLoss", "no distribution", "pass a ProbabilisticActor"
    ),
    "a temperature of nothing": bad(lambda: sac(alpha=0.0), ValueError, "sac", "alpha", "0.0", "must be above 0"),
    "a soft policy that is deterministic": bad(
        lambda: algorithms.sac(networks()),
        *(TypeError, "sac", "Actor", "no distribution", "by stochastic_actor_q(observation_spec, action_spec)"),
    ),
    "many critics of discrete actions": bad(
        lambda: redq(CART), TypeError, "redq", "OneHot", "discrete actions", "take sac for them"
    ),
    "more critics in the target than there are": bad(
        lambda: redq(num_critics=2, num_target_critics=3),
        *(ValueError, "redq", "num_target_critics", "3", "must be at most 2"),
    ),
    "a stochastic policy of actions without bounds": bad(
        lambda: algorithms.stochastic_actor_q(PENDULUM.single_observation_spec, specs.MultiCategorical([2, 3])),
        *(TypeError, "stochastic_actor_q", "MultiCategorical", "or build an ActorQ from modules of your own"),
    ),
    "a stochastic policy of an observation without a name": bad(
        lambda: algorithms.stochastic_actor_q(BOX, BOX),
        *(TypeError, "stochastic_actor_q", "observation_spec", "Bounded", "pass env.single_observation_spec"),
    ),
}
