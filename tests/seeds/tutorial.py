"""The modules that documents 002 and 004 both build, and the rollouts that both print: two states of one tutorial."""

import torch

from frl.distributions import Normal
from frl.envs import GymEnv
from frl.nn import MLP, Actor, NormalParamExtractor, ProbabilisticActor, TensorDictModule
from tests.seeds.printed import steps


def lazy_policy(env: GymEnv) -> TensorDictModule:
    """From whatever is observed to an action."""
    module = torch.nn.LazyLinear(out_features=env.action_spec.shape[-1])
    return TensorDictModule(module, in_keys=["observation"], out_keys=["action"])


def mlp_policy(env: GymEnv) -> Actor:
    """Two hidden layers, the first of which waits for its input."""
    return Actor(MLP(out_features=env.action_spec.shape[-1], num_cells=[32, 64], activation_class=torch.nn.Tanh))


def normal_policy() -> ProbabilisticActor:
    """A normal distribution around what the network makes of three numbers."""
    module = torch.nn.Sequential(MLP(in_features=3, out_features=2), NormalParamExtractor())
    return ProbabilisticActor(
        TensorDictModule(module, in_keys=["observation"], out_keys=["loc", "scale"]),
        in_keys=["loc", "scale"],
        out_keys=["action"],
        distribution_class=Normal,
        return_log_prob=True,
    )


def value_net(num_actions: int = 2) -> TensorDictModule:
    """A value for each action."""
    return TensorDictModule(
        MLP(out_features=num_actions, num_cells=[32, 32]), in_keys=["observation"], out_keys=["action_value"]
    )


def pendulum_rollout(device: str | None) -> str:
    """The text of ten steps of a deterministic policy on the pendulum, on no device in 002 and on the cpu in 004."""
    return steps({"observation": "float32 3"}, {"action": "float32 1"}, [10], device, device)


def stochastic_rollout(device: str | None) -> str:
    """The same of a normal policy."""
    acted = dict.fromkeys(("action", "loc", "sample_log_prob", "scale"), "float32 1")
    return steps({"observation": "float32 3"}, acted, [10], device, device)


def cartpole_rollout(device: str | None) -> str:
    """The same of three steps of a greedy policy on CartPole."""
    acted = {"action": "int64 2", "action_value": "float32 2", "chosen_action_value": "float32 1"}
    return steps({"observation": "float32 4"}, acted, [3], device, device)
