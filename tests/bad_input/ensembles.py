"""Bad calls of what acts and learns by an ensemble: of action values, or of models of the environment."""

import torch

from frl import TensorDict, algorithms, objectives, specs
from frl import nn as modules
from tests.bad_input.case import KEY, TD, bad, ints, ones
from tests.bad_input.critics import LINEAR
from tests.bad_input.environments import CART
from tests.bad_input.objectives import PENDULUM

SPECS = (CART.single_observation_spec, CART.single_action_spec)
STARTS = TD.set("is_init", ones(3, 1).bool())


def values(key="action_value", in_keys=("observation",)):
    return modules.TensorDictModule(LINEAR, in_keys, [key])


def bootstrapped(networks=None, **settings):
    config = algorithms.BootstrappedDQNConfig(**settings)
    return algorithms.bootstrapped_dqn(networks or algorithms.q_network(*SPECS, (4,)), config)


def memory():
    return algorithms.recurrent_q_network(*SPECS)


BOX = (PENDULUM.single_observation_spec, PENDULUM.single_action_spec)


with torch.random.fork_rng(devices=[]):
    NARROW = modules.NormalParamWrapper(torch.nn.Linear(5, 8))


def model():
    return algorithms.dynamics(*BOX, (4,)).module


def likelihood(steps):
    loss = objectives.DynamicsLoss(model())
    return loss(loss.init(), steps)


def imagining(**settings):
    agent = algorithms.ddpg(algorithms.actor_q(*BOX, (4,)))
    return algorithms.model_based(agent, algorithms.dynamics(*BOX, (4,)), algorithms.ModelBasedConfig(**settings))


def imagined(*missing, **more):
    """An update by ten steps of pendulums, without some entries and with others."""
    steps = PENDULUM.rollout(5, key=KEY, break_when_any_done=False).flatten()
    steps = steps.set("model_mask", ones(10, 5).bool()).exclude(*missing)
    for name, value in more.items():
        steps = steps.set(("next", name), value.expand(10, 1))
    return imagining().update(imagining().init(KEY), steps, KEY)


ENSEMBLES = {
    "no member to choose": bad(
        lambda: modules.EnsembleMemberModule(0),
        *(ValueError, "EnsembleMemberModule", "num_members is 0", "must be at least 1"),
    ),
    "a member of an episode that nobody marks": bad(
        lambda: modules.EnsembleMemberModule(3)(TD, key=KEY),
        *(KeyError, "no entry 'is_init'", "['observation', 'reward']", "put InitTracker() and make_tensordict_primer("),
    ),
    "members of another shape": bad(
        lambda: modules.EnsembleMemberModule(3)(STARTS.set("member", ints(3)), key=KEY),
        *(ValueError, "member has shape [3]", "[3, 1]", "take it from the step before"),
    ),
    "a member drawn without a key": bad(
        lambda: modules.EnsembleMemberModule(3)(STARTS.set("member", ints(3, 1))),
        *(TypeError, "EnsembleMemberModule", "needs key=", "DETERMINISTIC"),
    ),
    "a prior of plain tensors": bad(
        lambda: modules.RandomizedPrior(values(), LINEAR),
        *(TypeError, "RandomizedPrior", "prior is a Linear", "wrap it as TensorDictModule(module, in_keys, out_keys)"),
    ),
    "a prior that draws": bad(
        lambda: modules.RandomizedPrior(modules.EnsembleMemberModule(2), values()),
        *(TypeError, "module is a EnsembleMemberModule", "draws nothing", "wrap it as TensorDictModule"),
    ),
    "a prior of other entries": bad(
        lambda: modules.RandomizedPrior(values(), values("value")),
        *(ValueError, "['action_value']", "['value']", "give both the same out_keys"),
    ),
    "an ensemble of no DQN": bad(
        lambda: bootstrapped(num_members=0),
        *(ValueError, "bootstrapped_dqn", "num_members is 0", "must be at least 1"),
    ),
    "a share of the data above all": bad(
        lambda: bootstrapped(mask_probability=1.5),
        *(ValueError, "bootstrapped_dqn", "mask_probability is 1.5", "must be at most 1"),
    ),
    "members with a memory": bad(
        lambda: bootstrapped(memory()), TypeError, "bootstrapped_dqn", "it has a memory", "as q_network makes it"
    ),
    "steps that are nobody's": bad(
        lambda: bootstrapped().update(bootstrapped().init(KEY), STARTS, KEY),
        *(KeyError, "bootstrapped_dqn", "'bootstrap_mask'", "collect it by act, which draws the mask"),
    ),
    "an environment that carries no member": bad(
        lambda: bootstrapped().act(bootstrapped().init(KEY), CART.reset(KEY), KEY),
        *(KeyError, "EnsembleMemberModule", "'is_init'", "around the environment, by TransformedEnv"),
    ),
    # ---- models
    "a model that is a function": bad(
        lambda: modules.DynamicsModule(ones),  # type: ignore[arg-type]
        *(TypeError, "DynamicsModule", "net is a builtin_function_or_method", "such as NormalParamWrapper(MLP("),
    ),
    "a model without a deviation for the reward": bad(
        lambda: modules.DynamicsModule(NARROW)(
            TensorDict({"observation": ones(3, 4), "action": ones(3, 1)}, [3]), key=KEY
        ),
        *(ValueError, "the mean has shape [3, 4]", "[3, 5]", "give net 2 * (D + 1) outputs"),
    ),
    "a model asked for a draw without a key": bad(
        lambda: model()(PENDULUM.rand_action(PENDULUM.reset(KEY), KEY)),
        *(TypeError, "DynamicsModule", "needs key=", "DETERMINISTIC"),
    ),
    "the likelihood of a network": bad(
        lambda: objectives.DynamicsLoss(LINEAR),  # type: ignore[arg-type]
        *(TypeError, "DynamicsLoss", "model is a Linear", "pass a DynamicsModule(net)"),
    ),
    "the likelihood of no outcome": bad(
        lambda: objectives.DynamicsLoss(model())(
            {"model": modules.from_module(model())}, STARTS.set("action", ones(3, 1))
        ),
        *(KeyError, "DynamicsLoss", "('next', 'observation')", "make it by collect or from a replay buffer"),
    ),
    "a model of pictures": bad(
        lambda: algorithms.dynamics(specs.Composite({"pixels": specs.Unbounded((3, 8, 8))}), BOX[1]),
        *(TypeError, "dynamics: observation 'pixels'", "[3, 8, 8]", "flatten or embed it by a transform"),
    ),
    "a model of integers": bad(
        lambda: algorithms.dynamics(BOX[0], specs.Categorical(3)),
        *(TypeError, "dynamics: the action spec is Categorical", "take one-hot choices, not integers"),
    ),
    "no imagined step": bad(
        lambda: imagining(rollout_length=0), ValueError, "model_based", "rollout_length is 0", "must be at least 1"
    ),
    "more than all real": bad(
        lambda: imagining(real_ratio=1.5), ValueError, "model_based", "real_ratio is 1.5", "must be at most 1"
    ),
    "steps that no model learns from": bad(
        lambda: imagined("model_mask"),
        KeyError,
        "model_based",
        "'model_mask'",
        "collect it by act, which draws the mask",
    ),
    "imagined sums of several rewards": bad(
        lambda: imagined(discount=ones(1)),
        *(ValueError, "model_based", "('next', 'discount') of n-step replay", "sample it from uniform("),
    ),
}
