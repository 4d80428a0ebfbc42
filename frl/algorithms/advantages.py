"""What losses of a policy and a value read of collected steps: advantages and targets, and how the steps are split."""

from typing import Any

from torch import Tensor

from frl import functional as F
from frl.algorithms.networks import ActorCritic
from frl.objectives.dqn import require_entries
from frl.tensordict import TensorDict, scalar

_READS = ("action", "sample_log_prob", *[("next", name) for name in ("reward", "terminated", "truncated")])


def advantages(
    networks: ActorCritic, params: Any, batch: TensorDict, gamma: float | Tensor, lambda_: float | Tensor
) -> TensorDict:
    """`batch` [*B, T] without "next", with "state_value", "advantage" and "value_target" [*B, T, 1].

    They are those of generalised advantage estimation (`frl.functional.gae`): an episode that a time limit cuts, or the
    end of the batch, is bootstrapped with the value of its true successor. Values of networks with a memory are those
    in the states that the batch holds, which is exact for the parameters that it was collected with.

    Args: params: {"actor", "critic"}. batch: as `collect` makes it, by the networks. gamma, lambda_: in [0, 1], or 0-d
        tensors, into which gradients flow.
    Raises: KeyError if the batch lacks an entry; ValueError for a number out of range.

    >>> from frl import envs, random
    >>> from frl.algorithms import actor_critic, ppo
    >>> from frl.collectors import collect, start
    >>> env, key = envs.make("CartPole-v1", batch_size=[3]), random.key(0)
    >>> networks = actor_critic(env.single_observation_spec, env.single_action_spec)
    >>> algorithm = ppo(networks)
    >>> train = algorithm.init(key)
    >>> batch = collect(env, algorithm.act, train, start(env, key), key, 5)[1]
    >>> advantages(networks, train["params"], batch, gamma=0.99, lambda_=0.95)["advantage"].shape
    torch.Size([3, 5, 1])
    """
    steps = _time_first("advantages", batch)
    after = steps["next"]
    value = networks.value(params["critic"], steps)
    advantage = F.gae(
        scalar(after, "reward"),
        value,
        networks.value(params["critic"], after),
        scalar(after, "terminated"),
        scalar(after, "truncated"),
        gamma,
        lambda_,
    )
    found = {"state_value": value, "advantage": advantage, "value_target": advantage + value}
    return _with(steps, found)


def returns(batch: TensorDict, gamma: float | Tensor) -> TensorDict:
    """`batch` [*B, T] without "next", with "advantage" [*B, T, 1]: the discounted rewards that remain in it.

    Nothing is bootstrapped (`frl.functional.reward_to_go`): what an episode would earn after a time limit, or after the
    end of the batch, does not count.

    >>> import torch
    >>> after = {"reward": torch.ones(3, 1), "terminated": torch.tensor([[False], [True], [False]])}
    >>> after |= {"truncated": torch.zeros(3, 1, dtype=torch.bool)}
    >>> batch = TensorDict({"action": torch.zeros(3), "sample_log_prob": torch.zeros(3), "next": after}, [3])
    >>> returns(batch, 0.5)["advantage"].flatten().tolist()
    [1.5, 1.0, 1.0]
    """
    steps = _time_first("returns", batch)
    reward, terminated, truncated = (scalar(steps["next"], name) for name in ("reward", "terminated", "truncated"))
    return _with(steps, {"advantage": F.reward_to_go(reward, terminated, truncated, gamma)})


def rows(networks: ActorCritic, batch: TensorDict) -> TensorDict:
    """`batch` [*B, T] in the rows that minibatches are made of: steps [N], or sequences [N, T] for a memory.

    >>> import torch
    >>> from frl import specs
    >>> from frl.algorithms import actor_critic
    >>> networks = actor_critic(specs.Composite({"observation": specs.Unbounded(3)}), specs.OneHot(2))
    >>> rows(networks, TensorDict({"observation": torch.ones(4, 5, 3)}, [4, 5])).batch_size
    torch.Size([20])
    """
    if not networks.recurrent:
        return batch.permute(-1, *range(batch.batch_dims - 1)).flatten()
    return batch.unsqueeze(0).flatten(0, -2)


def _time_first(function: str, batch: TensorDict) -> TensorDict:
    """[T, *B], which is how collected steps lie in memory."""
    require_entries(function, batch, *_READS, remedy="make it by collect(env, algorithm.act, ...)")
    return batch.permute(-1, *range(batch.batch_dims - 1))


def _with(steps: TensorDict, found: dict[str, Tensor]) -> TensorDict:
    """[*B, T] of steps [T, *B] and what was found of each, [T, *B]."""
    steps = steps.exclude("next").update({name: value.unsqueeze(-1) for name, value in found.items()})
    return steps.permute(*range(1, steps.batch_dims), 0)
