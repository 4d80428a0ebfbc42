"""Bad calls of what acts and learns by an ensemble of action values."""

from frl import algorithms
from frl import nn as modules
from tests.bad_input.case import KEY, TD, bad, ints, ones
from tests.bad_input.critics import LINEAR
from tests.bad_input.environments import CART

SPECS = (CART.single_observation_spec, CART.single_action_spec)
STARTS = TD.set("is_init", ones(3, 1).bool())


def values(key="action_value", in_keys=("observation",)):
    return modules.TensorDictModule(LINEAR, in_keys, [key])


def bootstrapped(networks=None, **settings):
    config = algorithms.BootstrappedDQNConfig(**settings)
    return algorithms.bootstrapped_dqn(networks or algorithms.q_network(*SPECS, (4,)), config)


def memory():
    return algorithms.recurrent_q_network(*SPECS)


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
}
