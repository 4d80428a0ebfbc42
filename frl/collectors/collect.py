"""Collection as a pure function, for compiled loops: where an episode ends, the next one begins."""

from typing import Protocol

import torch

from frl import check, control, random
from frl.envs import Env
from frl.tensordict import TensorDict


class Act(Protocol):
    """A policy with its state: reads the observation from `td` and returns `td` with the action."""

    def __call__(self, train: TensorDict, td: TensorDict, key: torch.Tensor) -> TensorDict:
        """`td` [*B] with at least "action"."""
        ...


def start(env: Env, key: torch.Tensor) -> TensorDict:
    """The runner of freshly reset environments: where each of them stands.

    Returns: {"td": what the next action is chosen from, "episode_return", "episode_length": of this episode} [*B].
    Raises: TypeError for an environment that is none of frl's, or without a key.
    """
    if not isinstance(env, Env):
        raise TypeError(
            f"start: env is a {type(env).__name__}; make it by frl.envs.make, or wrap it by GymWrapper(env)."
        )
    zeros = torch.zeros(env.batch_size)
    return TensorDict(
        {"td": env.reset(key).exclude(*_FLAGS), "episode_return": zeros, "episode_length": torch.zeros_like(zeros)},
        env.batch_size,
    )


def collect(
    env: Env, act: Act, train: TensorDict, runner: TensorDict, key: torch.Tensor, num_steps: int
) -> tuple[TensorDict, TensorDict]:
    """Steps every environment `num_steps` times; an environment whose episode ended goes on with a fresh one.

    Args: runner: from `start` or an earlier `collect`. key: [2].
    Returns: the new runner and the batch [*B, T]: what `act` read and wrote, and "next" with the true successor's
        observation, the reward, `terminated` and `truncated` [*B, T, 1]. ("next", "episode_return") and
        ("next", "episode_length") [*B, T, 1] count up to and with this step.
    Raises: ValueError if `num_steps` is below 1, if `runner` is that of other environments, and, where values can be
        read, for a reward that is not finite.
    """
    check.at_least("collect", {"num_steps": num_steps}, 1)
    if "td" not in runner or runner.batch_size != env.batch_size:
        raise ValueError(
            f"collect: runner has the entries {list(runner)} and batch size {list(runner.batch_size)}, but {env} needs "
            "one that was made for it; make it by start(env, key)."
        )

    def body(runner: TensorDict, keys: tuple[torch.Tensor, torch.Tensor]) -> tuple[TensorDict, TensorDict]:
        k_act, k_env = keys
        td, following = env.step_and_reset(act(train, runner["td"], k_act), k_env)
        total = runner["episode_return"] + td["next", "reward"][..., 0]
        length = runner["episode_length"] + 1
        ended = td["next", "done"][..., 0]
        ongoing = TensorDict(
            {
                "td": following.exclude(*_FLAGS),
                "episode_return": torch.where(ended, torch.zeros_like(total), total),
                "episode_length": torch.where(ended, torch.zeros_like(length), length),
            },
            env.batch_size,
        )
        return ongoing, _transition(td, env.state_keys, total, length)

    runner, batch = control.scan(body, runner, tuple(random.split(random.split(key, num_steps))))
    check.finite(batch["next"].select("reward"), "collect", "mend the environment; check_env says more")
    rank = len(env.batch_size)
    return runner, batch.permute(*range(1, rank + 1), 0)


def _transition(
    td: TensorDict, private: tuple[str, ...], episode_return: torch.Tensor, episode_length: torch.Tensor
) -> TensorDict:
    """What a learner reads of one step; the environment's own state, nobody's to learn from, stays behind."""
    after = td["next"]
    seen = {key: after[key] for key in after if key not in private}
    seen["episode_return"] = episode_return.unsqueeze(-1)
    seen["episode_length"] = episode_length.unsqueeze(-1)
    before = {key: td[key] for key in td if key not in private and key not in _FLAGS and key != "next"}
    return TensorDict({**before, "next": seen}, td.batch_size)


_FLAGS = ("done", "terminated", "truncated")
