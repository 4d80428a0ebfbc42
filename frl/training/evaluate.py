"""Evaluation: whole episodes of the greedy policy."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from frl import check, control, random
from frl.envs import Env
from frl.tensordict import TensorDict, scalar

LONGEST = 100_000
"""Steps after which an environment without a time limit is taken not to end."""

_Carry = tuple[TensorDict, Tensor, Tensor]
_Index = int | Tensor
_Result = tuple[_Carry, Any]


def evaluate(env: Env, act: Callable[..., TensorDict], train: TensorDict, key: Tensor, num_episodes: int) -> Tensor:
    """The returns of `num_episodes` episodes in which `act(train, td, explore=False)` chooses the actions.

    Each row of the environment plays one episode; what a row does after its first end does not count. In a pure
    environment with a time limit this is a pure function, which can be compiled, and vmapped over `train` and `key`;
    there it always runs to the limit, in eager mode until the last episode has ended.

    Args: env: of batch size [num_episodes]. key: [2].
    Returns: [num_episodes], the sums of rewards, not discounted.
    Raises: ValueError if the batch size is another, or if an episode outlasts `LONGEST` steps.
    """
    if tuple(env.batch_size) != (num_episodes,):
        raise ValueError(
            f"evaluate: the environment has batch size {list(env.batch_size)} but num_episodes is {num_episodes}; "
            f"make it with batch_size=[{num_episodes}]."
        )

    k_reset, k_steps = random.split(key)

    def body(carry: _Carry, index: _Index) -> _Result:
        td, total, ended = carry
        acted = act(train, td, explore=False)
        td, following = env.step_and_reset(acted, random.fold_in(k_steps, index))
        total = torch.where(ended, total, total + scalar(td["next"], "reward"))
        return (following, total, ended | scalar(td["next"], "done")), ()

    td = env.reset(k_reset)
    zeros = torch.zeros(num_episodes, dtype=env.reward_spec.dtype, device=env.device)
    carry = (td, zeros, torch.zeros_like(zeros, dtype=torch.bool))
    if env.pure and env.max_steps is not None and not check.values_readable():
        return control.scan(body, carry, length=env.max_steps)[0][1]
    for index in range(LONGEST):
        carry, _ = body(carry, index)
        if bool(carry[2].all()):
            return carry[1]
    raise ValueError(
        f"evaluate: {int((~carry[2]).sum())} of {num_episodes} episodes of {env} had not ended after {LONGEST} steps; "
        "give the environment a time limit."
    )
