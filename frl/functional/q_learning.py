"""Targets of Q-learning: what the value of the action taken should have been, for batches of single transitions."""

import torch
from torch import Tensor

from frl import check
from frl.functional.steps import check_rate


def q_learning_target(reward: Tensor, next_action_value: Tensor, terminated: Tensor, gamma: float | Tensor) -> Tensor:
    """The target r + γ (1 − terminated) maxₐ Q(s', a).

    For n-step targets pass the discounted sum of n rewards, the values n steps ahead, and γⁿ.

    Args: reward: [*B]. next_action_value: [*B, n], Q(s', ·) by the target network, not read where `terminated`.
        terminated: [*B] boolean; a truncated transition is not terminated. gamma: a number in [0, 1] or a 0-d tensor.
    Returns: [*B]. Gradients flow into all but the flags: make it outside the loss.
    Raises: ValueError if a shape or `gamma` does not fit, TypeError if a dtype does not.
    Source: Watkins & Dayan (1992); Mnih et al. (2015), "Human-level control through deep reinforcement learning".

    >>> next_action_value, terminated = torch.tensor([[2.0, 4.0], [2.0, 4.0]]), torch.tensor([False, True])
    >>> q_learning_target(torch.ones(2), next_action_value, terminated, gamma=0.5).tolist()
    [3.0, 1.0]
    """
    _check("q_learning_target", reward, {"next_action_value": next_action_value}, terminated, gamma)
    return _target(reward, next_action_value, next_action_value, terminated, gamma)


def double_q_target(
    reward: Tensor, next_action_value: Tensor, selector: Tensor, terminated: Tensor, gamma: float | Tensor
) -> Tensor:
    """The target r + γ (1 − terminated) Q(s', argmaxₐ `selector`): one network chooses the action, another values it.

    Args: next_action_value: [*B, n], Q(s', ·) by the network that values, the target's. selector: [*B, n], Q(s', ·) by
        the network that chooses, the learned one; no gradient flows into it. The others: see `q_learning_target`.
    Returns: [*B]; never above `q_learning_target` of the same values.
    Raises: ValueError if a shape or `gamma` does not fit, TypeError if a dtype does not.
    Source: van Hasselt et al. (2016), arXiv:1509.06461, eq. 4.

    >>> values, selector, no = torch.tensor([[2.0, 4.0]]), torch.tensor([[1.0, 0.0]]), torch.tensor([False])
    >>> double_q_target(torch.ones(1), values, selector, no, gamma=0.5).tolist()
    [2.0]
    """
    values = {"selector": selector, "next_action_value": next_action_value}
    _check("double_q_target", reward, values, terminated, gamma)
    return _target(reward, next_action_value, selector, terminated, gamma)


def _target(
    reward: Tensor, next_action_value: Tensor, selector: Tensor, terminated: Tensor, gamma: float | Tensor
) -> Tensor:
    best = next_action_value.gather(-1, selector.argmax(-1, keepdim=True)).squeeze(-1)
    return reward + gamma * torch.where(terminated, 0.0, best)


def _check(function: str, reward: Tensor, values: dict[str, Tensor], terminated: Tensor, gamma: float | Tensor) -> None:
    check.floating(function, {**values, "reward": reward})
    check.same_dtype(function, {**values, "reward": reward})
    check.boolean(function, {"terminated": terminated})
    check.same_shape(function, {"terminated": terminated, "reward": reward}, "pass both as [*B]")
    for name, x in values.items():
        if x.shape[:-1] != reward.shape or x.ndim != reward.ndim + 1 or x.shape[-1] < 1:
            raise ValueError(
                f"{function}: {name} has shape {list(x.shape)} but reward has {list(reward.shape)}; pass the rewards "
                "as [*B] and the values of all n actions as [*B, n]."
            )
    if len({x.shape for x in values.values()}) > 1:
        check.same_shape(function, values, "pass the values of the same actions")
    check_rate(function, {"gamma": gamma})
