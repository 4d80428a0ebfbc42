"""The loop: an algorithm joined with an environment, as two pure functions over one state."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from frl import check, control, random
from frl.algorithms import Algorithm
from frl.collectors import collect, start
from frl.envs import Env
from frl.tensordict import TensorDict


class Loop(NamedTuple):
    """A whole training, one step at a time: what one compiles, vmaps, differentiates and checkpoints.

    init: `init(key) -> state`. step: `step(state) -> (state, metrics)`. The state is one TensorDict:
    {"train", "runner", "key", "step", "stats"}; "step" counts environment steps.
    """

    init: Callable[[Tensor], TensorDict]
    step: Callable[[TensorDict], tuple[TensorDict, TensorDict]]


def on_policy(env: Env, algorithm: Algorithm, num_steps: int) -> Loop:
    """The loop of on-policy algorithms: collect `num_steps` steps of each environment, learn from them, forget them.

    Raises: ValueError if `num_steps` is below 1.
    """
    check.at_least("on_policy", {"num_steps": num_steps}, 1)

    def init(key: Tensor) -> TensorDict:
        k_train, k_env, key = random.split(key, 3)
        return TensorDict(
            {
                "train": algorithm.init(k_train),
                "runner": start(env, k_env),
                "key": key,
                "step": torch.zeros((), dtype=torch.int64),
                "stats": {
                    "episode_return": torch.zeros(()),
                    "episode_length": torch.zeros(()),
                    "episodes": torch.zeros(()),
                },
            }
        )

    def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
        key, k_collect, k_update = random.split(state["key"], 3)
        runner, batch = collect(env, algorithm.act, state["train"], state["runner"], k_collect, num_steps)
        train, metrics = algorithm.update(state["train"], batch, k_update)
        stats = _statistics(state["stats"], batch["next"])
        count = state["step"] + batch.numel()
        state = TensorDict({"train": train, "runner": runner, "key": key, "step": count, "stats": stats})
        return state, metrics.update(stats)

    return Loop(init, step)


def _statistics(last: TensorDict, after: TensorDict) -> TensorDict:
    """The mean return and length of the episodes that ended in this batch, or the last known ones if none did."""
    ended = (after["terminated"] | after["truncated"]).to(after["episode_return"].dtype)
    count = ended.sum()

    def mean(name: str) -> Tensor:
        return torch.where(count > 0, (ended * after[name]).sum() / count.clamp(min=1), last[name])

    return TensorDict(
        {"episode_return": mean("episode_return"), "episode_length": mean("episode_length"), "episodes": count}
    )


def population(loop: Loop, n: int) -> Loop:
    """`n` trainings at once: the same two functions over states that have one more, leading, axis.

    `init` takes keys [n, 2]. Compiled, the members are one vmapped program; in eager mode they take turns, so that each
    is bitwise the run of its key alone. In either, member i draws the same random integers as that run.

    Raises: ValueError if `n` is below 1, or, when called, if the keys are not one for each member.
    """
    check.at_least("population", {"n": n}, 1)

    def init(keys: Tensor) -> TensorDict:
        if keys.shape != (n, 2):
            raise ValueError(
                f"population: keys have shape {list(keys.shape)}, expected {[n, 2]}; use random.split(key, {n})."
            )
        return control.members(loop.init)(keys)

    return Loop(init, control.members(loop.step))
