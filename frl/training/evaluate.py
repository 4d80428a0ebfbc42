"""Evaluation: whole episodes of the greedy policy."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from frl import check, control, random
from frl.envs import Env
from frl.tensordict import TensorDict, scalar

LONGEST = 100_000
"""Steps after which an environment without a time limit is taken not to end."""

_Carry = tuple[TensorDict, Tensor, Tensor, Tensor]
"""Where each row stands; the sum of its rewards, the number of its steps, and whether it has ended [num_episodes]."""


def evaluate(env: Env, act: Callable[..., TensorDict], train: TensorDict, key: Tensor, num_episodes: int) -> Tensor:
    """The returns of `num_episodes` episodes in which `act(train, td, explore=False)` chooses the actions.

    Each row of the environment plays one episode; what a row does after its first end does not count. In a pure
    environment with a time limit this is a pure function, which can be compiled, and vmapped over `train` and `key`;
    there it always runs to the limit, in eager mode until the last episode has ended.

    Of a population, with keys [n, 2] and states of n members in `train`, all members of a pure environment play at
    once, and the returns are [n, num_episodes].

    Args: env: of batch size [num_episodes]. key: [2], or [n, 2] of a population.
    Returns: [num_episodes], the sums of rewards, not discounted.
    Raises: ValueError if the batch size is another, if an episode outlasts `LONGEST` steps, and for a population in an
        environment that is not pure.
    """
    if tuple(env.batch_size) != (num_episodes,):
        raise ValueError(
            f"evaluate: the environment has batch size {list(env.batch_size)} but num_episodes is {num_episodes}; "
            f"make it with batch_size=[{num_episodes}]."
        )
    if key.ndim > 1 and not env.pure:
        raise ValueError(
            f"evaluate: {env} is not pure, so it evaluates one member at a time; pass the key [2] of each."
        )
    return play(env, act, train, key)[0]


def play(env: Env, act: Callable[..., TensorDict], train: TensorDict, key: Tensor) -> tuple[Tensor, Tensor]:
    """The returns of the episodes that `evaluate` plays, one for each row of the environment, and their lengths.

    >>> from frl.envs import make
    >>> push = lambda train, td, explore: td.set("action", torch.tensor([[1, 0]] * 3))
    >>> returns, lengths = play(make("CartPole-v1", 3), push, TensorDict({}), random.key(0))
    >>> bool((returns == lengths).all()), lengths.dtype  # a reward of 1 for each step
    (True, torch.int64)
    """
    k_reset, k_steps = random.split(key)
    begin, advance = partial(_begin, env), partial(_advance, env, act)
    if key.ndim > 1:
        begin, advance = torch.vmap(begin), torch.vmap(advance)
    carry = begin(k_reset)
    if env.pure and env.max_steps is not None and not check.values_readable():
        _, total, length, _ = control.scan(
            lambda carry, index: (advance(train, carry, random.fold_in(k_steps, index)), ()),
            carry,
            length=env.max_steps,
        )[0]
        return total, length
    for index in range(LONGEST):
        carry = advance(train, carry, random.fold_in(k_steps, index))
        if bool(carry[3].all()):
            return carry[1], carry[2]
    raise ValueError(
        f"evaluate: {int((~carry[3]).sum())} of {carry[3].numel()} episodes of {env} had not ended after {LONGEST} "
        "steps; give the environment a time limit."
    )


def _begin(env: Env, key: Tensor) -> _Carry:
    td = env.reset(key)
    total = torch.zeros(env.batch_size, dtype=env.reward_spec.dtype, device=env.device)
    length = torch.zeros_like(total, dtype=torch.int64)
    return td, total, length, torch.zeros_like(total, dtype=torch.bool)


def _advance(env: Env, act: Callable[..., TensorDict], train: TensorDict, carry: _Carry, key: Tensor) -> _Carry:
    td, total, length, ended = carry
    td, following = env.step_and_reset(act(train, td, explore=False), key)
    total = torch.where(ended, total, total + scalar(td["next"], "reward"))
    return following, total, torch.where(ended, length, length + 1), ended | scalar(td["next"], "done")
