"""Bad calls of environments, and environments that are bad themselves."""

from typing import Any

import gymnasium
import numpy as np
import torch

from frl import TensorDict, envs
from frl import collectors as collect
from frl.envs.probes import Endless, Probe
from tests.bad_input.case import KEY, TD, bad, ints, zeros


class NanReward(gymnasium.Env[Any, Any]):
    observation_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        return np.zeros(1, np.float32), float("nan"), False, False, {}


class PureNanReward(Endless):
    def reward(self, state: Any, action: Any, next_state: Any, rng: Any, params: Any = None) -> Any:
        return state[..., 0] * torch.nan


class OneRewardTooMany(Probe):
    def reward(self, state: Any, action: Any, next_state: Any, rng: Any, params: Any = None) -> Any:
        return torch.ones_like(state)


class DoubleObservation(Probe):
    def observation(self, state: Any, rng: Any, params: Any = None) -> Any:
        return state[..., :1].double()


CART = envs.make("CartPole-v1", 2)
NAN = envs.FunctionalEnv(PureNanReward(), 2)


def random_act(train: TensorDict, td: TensorDict, key: torch.Tensor) -> TensorDict:
    return NAN.rand_action(td, key)


def acted(action: torch.Tensor) -> Any:
    return CART.step(CART.reset(KEY).set("action", action), KEY)


ENVIRONMENTS = {
    "no name": bad(lambda: envs.make(None), TypeError, "id", "None", "must be a string"),
    "a negative batch": bad(lambda: envs.make("CartPole-v1", [2, -1]), ValueError, "batch_size[1]", "-1", "at least 0"),
    "a batch of words": bad(lambda: envs.make("CartPole-v1", "3"), TypeError, "batch_size", "'3'", "list of integers"),
    "an unknown environment": bad(
        lambda: envs.make("CartPol-v1"), ValueError, "'CartPol-v1'", "frl.envs.ids()", "Did you mean CartPole-v1"
    ),
    "an unknown environment of Gymnasium": bad(
        lambda: envs.make("gym:CartPol-v1"), ValueError, "'CartPol-v1'", "the closest are ['CartPole-v1'"
    ),
    "a batch that Gymnasium lacks": bad(
        lambda: envs.make("gym:CartPole-v1", [2, 3]),
        ValueError,
        "batch_size",
        "[2, 3]",
        "[] or [n]",
        "reshape the data instead",
    ),
    "a name to be wrapped": bad(lambda: envs.GymWrapper("CartPole-v1"), TypeError, "gym_env", "str", "use GymEnv"),
    "a vector that resets itself": bad(
        lambda: envs.GymWrapper(gymnasium.vector.SyncVectorEnv([NanReward])),
        ValueError,
        "resets itself",
        "AutoresetMode.DISABLED",
    ),
    "a time limit of no step": bad(
        lambda: envs.FunctionalEnv(Probe(), max_steps=0), ValueError, "max_steps", "0", "at least 1"
    ),
    "a reward of another shape": bad(
        lambda: envs.FunctionalEnv(OneRewardTooMany(), 3),
        ValueError,
        "OneRewardTooMany.reward",
        "[3, 2]",
        "must return floating point [3]",
    ),
    "an observation of another dtype": bad(
        lambda: envs.FunctionalEnv(DoubleObservation()),
        ValueError,
        "'observation'",
        "float64",
        "observation_space says torch.float32",
    ),
    "a reset without a key": bad(lambda: CART.reset(), TypeError, "key=", "got None", "frl.random.key(0)"),
    "a reset by a seed": bad(lambda: CART.reset(0), TypeError, "key=", "got 0", "frl.random.key(0)"),
    "a rollout without a key": bad(lambda: CART.rollout(3), TypeError, "key=", "got None", "frl.random.key(0)"),
    "a rollout of no step": bad(lambda: CART.rollout(0, key=KEY), ValueError, "max_steps", "0", "must be at least 1"),
    "a policy that writes no action": bad(
        lambda: CART.rollout(3, lambda td: td, KEY),
        ValueError,
        '"action"',
        "'observation'",
        'must return td.set("action", action)',
    ),
    "a policy that returns nothing": bad(
        lambda: CART.rollout(3, lambda td: None, KEY),
        TypeError,
        "NoneType",
        "TensorDict",
        'must return td.set("action", action)',
    ),
    "an action of another shape": bad(
        lambda: acted(ints(2, 3)), ValueError, '"action"', "[2, 3]", "[2, 2]", "for each environment"
    ),
    "an action of another dtype": bad(
        lambda: acted(zeros(2, 2)), TypeError, '"action"', "float32", "int64", "convert it by .to(dtype)"
    ),
    "a step before a reset": bad(
        lambda: CART.step(TensorDict({"action": ints(2, 2)}, [2]), KEY),
        ValueError,
        "'state'",
        "['action']",
        "begin with env.reset(key)",
    ),
    "a step of Gymnasium before a reset": bad(
        lambda: envs.GymEnv("CartPole-v1").step(TensorDict({"action": ints(2)})),
        RuntimeError,
        "step before a reset",
        "call env.reset()",
    ),
    "assignment to an environment": bad(
        lambda: setattr(CART, "max_steps", 4), TypeError, "immutable", ".max_steps", "env.with_params"
    ),
    "a NaN reward of Gymnasium": bad(
        lambda: envs.GymWrapper(NanReward()).rollout(3),
        ValueError,
        '"reward"',
        "nan",
        "must be a number",
        "mend the environment",
    ),
    "a NaN reward": bad(
        lambda: collect.collect(NAN, random_act, TensorDict(), collect.start(NAN, KEY), KEY, 3),
        *(ValueError, "reward", "nan at [0, 0, 0]", "mend the environment"),
    ),
    "a NaN reward under the checker": bad(
        lambda: envs.check_env(NAN), ValueError, "'reward'", "is nan", "must be finite"
    ),
    "checking one of Gymnasium's": bad(
        lambda: envs.check_env(NanReward()), TypeError, "check_env: env is a NanReward", "GymWrapper(env)"
    ),
    "the step after a dict": bad(
        lambda: envs.step_mdp({"next": TD}), TypeError, "step_mdp: td is a dict", "pass what env.step returned"
    ),
    "the step after a reset": bad(
        lambda: envs.step_mdp(TD), KeyError, "no entry 'next'", "['observation', 'reward']", "what env.step returned"
    ),
    "beginning in one of Gymnasium's": bad(
        lambda: collect.start(NanReward(), KEY), TypeError, "start: env is a NanReward", "wrap it by GymWrapper(env)"
    ),
    "beginning by a seed": bad(lambda: collect.start(CART, 0), TypeError, "key=", "got 0", "frl.random.key(0)"),
}
