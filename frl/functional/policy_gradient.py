"""The loss kernel of policy gradients (Williams 1992; Mnih et al. 2016, arXiv:1602.01783)."""

from torch import Tensor

from frl import check


def policy_gradient_loss(log_prob: Tensor, advantage: Tensor) -> Tensor:
    """The loss −mean(A log π), whose gradient is minus the policy gradient.

    Args: log_prob: [*B], of the actions that were taken. advantage: [*B], what each action is worth: a return, or an
        advantage over a baseline.
    Returns: []. Gradients flow into both arguments: make the advantage outside the function that you differentiate.
    Raises: ValueError if the shapes differ, TypeError if the dtypes do.
    Source: Williams (1992), "Simple statistical gradient-following algorithms", sec. 4; arXiv:1602.01783, sec. 4.

    >>> import torch
    >>> policy_gradient_loss(torch.tensor([-1.0, -2.0]), torch.tensor([3.0, 1.0])).item()
    2.5
    """
    values = {"advantage": advantage, "log_prob": log_prob}
    check.floating("policy_gradient_loss", values)
    check.same_dtype("policy_gradient_loss", values)
    remedy = "pass both as [*B]; a trailing axis of size 1 would broadcast"
    check.same_shape("policy_gradient_loss", values, remedy)
    return -(log_prob * advantage).mean()
