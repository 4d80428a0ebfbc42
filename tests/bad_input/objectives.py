"""Bad calls of objectives, of the algorithms that learn from replay, and of their loop."""

import torch
from torch import nn

from frl import TensorDict, algorithms, envs, objectives, replay, specs, training
from frl import nn as modules
from tests.bad_input.case import KEY, TD, bad, ones
from tests.bad_input.environments import CART

SEEN, ACTION = CART.single_observation_spec, CART.single_action_spec
PENDULUM = envs.make("Pendulum-v1", batch_size=[2])
with torch.random.fork_rng():
    VALUES = modules.TensorDictModule(nn.Linear(4, 2), ["observation"], ["action_value"])
    ACTOR = modules.Actor(nn.Linear(4, 1))
    VALUE = modules.ValueOperator(modules.MLP(5, 1), ["observation", "action"])
LOSS = objectives.DQNLoss(VALUES, "one_hot")
PARAMS = TensorDict({"value": {"w": ones(1)}})
AFTER = TensorDict({"reward": ones(3, 1), "terminated": ones(3, 1) > 0}, [3])
ONE = ones(())


def dqn(**settings):
    return algorithms.dqn(algorithms.q_network(SEEN, ACTION, (4,)), algorithms.DQNConfig(**settings))


def ddpg(**settings):
    spec = PENDULUM.single_observation_spec
    networks = algorithms.actor_q(spec, PENDULUM.single_action_spec, (4,))
    return algorithms.ddpg(networks, algorithms.DDPGConfig(**settings))


def loop(*numbers):
    return training.off_policy(CART, dqn(), replay.uniform(10, 2), *numbers)


OBJECTIVES = {
    "a recurrent network without a layer before it": bad(
        lambda: algorithms.recurrent_q_network(SEEN, ACTION, num_cells=()),
        *(ValueError, "recurrent_q_network", "num_cells is empty", "give at least one layer"),
    ),
    "a recurrent network without units": bad(
        lambda: algorithms.recurrent_q_network(SEEN, ACTION, hidden_size=0),
        *(ValueError, "GRUModule", "hidden_size", "0", "must be at least 1"),
    ),
    "a recurrent network of a spec of one observation": bad(
        lambda: algorithms.recurrent_q_network(specs.Unbounded(3), ACTION),
        *(TypeError, "recurrent_q_network", "Unbounded", "must be a Composite"),
    ),
    "a loss of a batch without actions": bad(
        lambda: LOSS(LOSS.init(), TD), KeyError, "DQNLoss", "'action'", "make it by collect or from a replay buffer"
    ),
    "a loss of an unknown action space": bad(
        lambda: objectives.DQNLoss(VALUES, "two_hot"), ValueError, "DQNLoss", "'two_hot'", "expected a spec or one of"
    ),
    "a loss of continuous actions": bad(
        lambda: objectives.DQNLoss(VALUES, specs.Bounded(-1.0, 1.0, 2)),
        *(TypeError, "DQNLoss", "Bounded", "no choice among finitely many", "or use Actor for continuous actions"),
    ),
    "a deterministic policy's loss without actions": bad(
        lambda: objectives.DDPGLoss(ACTOR, VALUE)(objectives.DDPGLoss(ACTOR, VALUE).init(), TD),
        *(KeyError, "DDPGLoss", "'action'", "make it by collect or from a replay buffer"),
    ),
    "a deterministic policy's loss without rewards": bad(
        lambda: objectives.DDPGLoss(ACTOR, VALUE)(
            objectives.DDPGLoss(ACTOR, VALUE).init(),
            TD.set("action", ones(3, 1)).set("next", {"observation": ones(3, 4)}),
        ),
        *(KeyError, "DDPGLoss", "('next', 'reward')", "make it by collect or from a replay buffer"),
    ),
    "V-trace of action values": bad(
        lambda: objectives.value_estimator(objectives.ValueEstimators.VTrace),
        *(ValueError, "VTrace", "needs the probabilities", "use TD0, TD1 or TDLambda"),
    ),
    "a λ-return of single steps": bad(
        lambda: objectives.td_lambda()(TensorDict({"reward": ones(1), "done": ones(1).bool()}), ones(())),
        *(ValueError, "td_lambda", "no time axis", "pass trajectories, or estimate by td0"),
    ),
    "neither eps nor tau": bad(
        lambda: objectives.SoftUpdate()(PARAMS), TypeError, "SoftUpdate", "neither of eps and tau", "pass one of them"
    ),
    "a target rate above one": bad(
        lambda: objectives.SoftUpdate(tau=1.5)(PARAMS), ValueError, "SoftUpdate", "tau", "1.5", "must be at most 1"
    ),
    "a soft update without targets": bad(
        lambda: objectives.SoftUpdate(tau=0.5)(PARAMS), KeyError, "'target'", "['value']", "make it by loss.init()"
    ),
    "a hard update without targets": bad(
        lambda: objectives.HardUpdate(2)(PARAMS, torch.tensor(1)),
        *(KeyError, "'target'", "['value']", "make it by loss.init()"),
    ),
    "a hard update at no interval": bad(
        lambda: objectives.HardUpdate(0)(PARAMS, torch.tensor(1)),
        *(ValueError, "value_network_update_interval", "0", "must be at least 1"),
    ),
    "a chance above one": bad(
        lambda: dqn(epsilon_end=2.0), ValueError, "dqn", "epsilon_end", "2.0", "must be at most 1"
    ),
    "no period of the target": bad(
        lambda: dqn(target_period=0), ValueError, "dqn", "target_period", "0", "must be at least 1"
    ),
    "negative noise": bad(lambda: ddpg(noise=-1.0), ValueError, "ddpg", "noise", "-1.0", "must be at least 0"),
    "a discount of more than all": bad(
        lambda: ddpg(gamma=1.5), ValueError, "ddpg", "gamma", "1.5", "must be at most 1"
    ),
    "values of continuous actions": bad(
        lambda: algorithms.q_network(SEEN, specs.Bounded(-1.0, 1.0, 2)),
        *(TypeError, "q_network", "Bounded", "or use Actor for continuous actions"),
    ),
    "values of an observation without a name": bad(
        lambda: algorithms.q_network(ACTION, ACTION),
        *(TypeError, "q_network", "observation_spec", "OneHot", "pass env.single_observation_spec"),
    ),
    "a deterministic policy of discrete actions": bad(
        lambda: algorithms.actor_q(SEEN, ACTION),
        TypeError,
        "actor_q",
        "OneHot",
        "or take an algorithm for such actions",
    ),
    "a deterministic policy of an observation without a name": bad(
        lambda: algorithms.actor_q(ACTION, PENDULUM.single_action_spec),
        *(TypeError, "actor_q", "observation_spec", "OneHot", "pass env.single_observation_spec"),
    ),
    "no steps before learning": bad(
        lambda: loop(0, 1), ValueError, "off_policy", "num_steps", "0", "must be at least 1"
    ),
    "no updates after acting": bad(
        lambda: loop(1, 0), ValueError, "off_policy", "num_updates", "0", "must be at least 1"
    ),
    "a negative warm-up": bad(lambda: loop(1, 1, -1), ValueError, "off_policy", "warmup", "-1", "must be at least 0"),
    "an update from an empty batch": bad(
        lambda: dqn().update(dqn().init(KEY), TD, KEY),
        *(KeyError, "DQNLoss", "'action'", "make it by collect or from a replay buffer"),
    ),
    "a λ above one": bad(
        lambda: objectives.td_lambda(lambda_=2.0)(AFTER, ones(3)), ValueError, "lambda_ is 2.0", "must be at most 1"
    ),
    "a target of more than all": bad(
        lambda: objectives.td0(1.5)(AFTER, ones(3)), ValueError, "gamma is 1.5", "must be at most 1"
    ),
    "a target of values [*B, 1]": bad(
        lambda: objectives.td0()(AFTER, ones(3, 1)), ValueError, "next_value", "[3, 1]", "reward has [3]", "as [T, *B]"
    ),
    "a value estimator by its name": bad(
        lambda: objectives.value_estimator("td0"), TypeError, "got 'td0'", "expected one of ['ValueEstimators.TD0'"
    ),
    "following without targets": bad(
        lambda: objectives.follow(PARAMS, ONE, ONE, ONE), KeyError, "'target'", "['value']", "make it by loss.init()"
    ),
    "following at a rate that is no tensor": bad(
        lambda: objectives.follow(PARAMS, ONE, 0.5, ONE), TypeError, "follow: rate is a float", "torch.as_tensor"
    ),
}
