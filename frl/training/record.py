"""Recording: whole episodes of the greedy policy as a video."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from frl import check, random
from frl.envs import Env, FunctionalEnv, GymWrapper
from frl.envs.base import reset_where_done
from frl.tensordict import TensorDict
from frl.training.evaluate import LONGEST
from frl.training.video import require_video, write_video
from frl.transforms import TransformedEnv

_DEFAULT_FPS = 30


def record(
    env: Env,
    act: Callable[..., TensorDict],
    train: TensorDict,
    key: Tensor,
    path: str | Path,
    num_episodes: int = 1,
    fps: float | None = None,
) -> Tensor:
    """Films `num_episodes` episodes, one after the other, in which `act(train, td, explore=False)` chooses the actions.

    A pure environment draws its states; one of Gymnasium is shown by its renderer, a transformed one by its base. The
    first picture of an episode is that of its reset, the last that of the state in which it ended.

    Args: env: of batch size []; Gymnasium's made with render_mode="rgb_array". key: [2]. path: ends in .mp4 or .gif;
        see `write_video`. fps: frames in a second; by default the environment's own `metadata["render_fps"]`, or 30.
    Returns: [num_episodes], the sums of rewards, not discounted.
    Raises: ValueError for another batch size, for a renderer that gives no images, for an unknown suffix and if an
        episode outlasts `LONGEST` steps; TypeError, or NotImplementedError, if the environment cannot be drawn;
        ImportError without imageio.

    >>> import tempfile
    >>> from frl.envs.classic import CartPole
    >>> def left(train, td, explore):
    ...     return td.set("action", torch.tensor([1, 0]))
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     record(FunctionalEnv(CartPole(), max_steps=3), left, TensorDict({}), random.key(0), f"{directory}/left.gif")
    tensor([3.])
    """
    check.at_least("record", {"num_episodes": num_episodes}, 1)
    if env.batch_size:
        raise ValueError(
            f"record: the environment has batch size {list(env.batch_size)} but a video shows one; make it with "
            "batch_size=[]."
        )
    require_video(path)
    picture, metadata = _camera(env)
    returns: list[Tensor] = []

    def frames() -> Iterator[Tensor]:
        k_reset, k_episodes = random.split(key)
        td = env.reset(k_reset)
        for i in range(num_episodes):
            k_steps, k_restart = random.split(random.fold_in(k_episodes, i))
            yield picture(td)
            returns.append(torch.zeros(1, dtype=env.reward_dtype, device=env.device))
            for after in _episode(env, lambda td: act(train, td, explore=False), td, k_steps):
                returns[i] = returns[i] + after["reward"]
                td = after.exclude("reward")
                yield picture(td)
            td = reset_where_done(td, env.restart(td, k_restart))

    with torch.no_grad():
        write_video(path, frames(), fps or metadata.get("render_fps") or _DEFAULT_FPS)
    return torch.cat(returns)


def _episode(env: Env, act: Callable[[TensorDict], TensorDict], td: TensorDict, key: Tensor) -> Iterator[TensorDict]:
    """The "next" of each step from `td` to the end of the episode."""
    for index in range(LONGEST):
        after = env.step(act(td), random.fold_in(key, index))["next"]
        yield after
        td = after.exclude("reward")
        if bool(td["done"].any()):
            return
    raise ValueError(
        f"record: an episode of {env} had not ended after {LONGEST} steps; give the environment a time limit."
    )


def _camera(env: Env) -> tuple[Callable[[TensorDict], Tensor], Mapping[str, Any]]:
    """What makes a picture [H, W, 3] of where the environment stands, and what its author says of pictures."""
    base = env.base_env if isinstance(env, TransformedEnv) else env
    shown: Any = env  # it is drawn and rendered as its base is
    if isinstance(base, FunctionalEnv):
        return shown.draw, getattr(base.func_env, "metadata", {})
    if isinstance(base, GymWrapper):
        return lambda td: shown.render(), base.vector_env.metadata
    raise TypeError(
        f"record: {env} cannot be drawn; it must be a FunctionalEnv whose author has a method draw, a GymWrapper, or "
        "a TransformedEnv of either."
    )
