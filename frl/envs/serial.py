"""Several environments side by side, stepped in turn in this process."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from frl.envs.batched import BatchedEnv, CreateEnv
from frl.envs.creator import creators
from frl.envs.member import Member
from frl.tensordict import TensorDict


class SerialEnv(BatchedEnv):
    """`num_workers` environments of batch size [*B] as one of [num_workers, *B], stepped in turn in this process.

    Its results are those of `ParallelEnv`, bit by bit. It is the faster of the two for environments that are quickly
    stepped, and what to debug with, for an error comes as it was raised.

    A step reads the action from `td` and what the environments themselves wrote there beyond observations and flags,
    as the "state" of a pure environment; where that is missing, they go on from where they stand. Of the given key, or
    of its own, worker i draws by `random.split(key, num_workers)[i]`. Each environment is reset once at construction.

    Args: create_env_fn: makes one environment; or a list of functions, one for each worker. seed: of the first key.
    Raises: ValueError if the environments differ in specs or entries, naming the first that does, if there is none or
        not a function for each, and if a later step returns other keys, shapes or dtypes; TypeError if `create_env_fn`
        is no function or makes no environment; RuntimeError for a step before a reset and after an end, as `GymEnv`,
        and after `close`.

    >>> from frl.envs import GymEnv
    >>> env = SerialEnv(3, lambda: GymEnv("Pendulum-v1"))
    >>> env.rollout(10)["next", "observation"].shape
    torch.Size([3, 10, 3])
    """

    def __init__(self, num_workers: int, create_env_fn: CreateEnv, seed: int = 0):
        self.create_env_fn = creators("SerialEnv", num_workers, create_env_fn)
        self._members: list[Member] = []
        try:
            for create in self.create_env_fn:
                self._members.append(Member(create()))
            self._adopt([member.sketch for member in self._members], seed)
        except BaseException:
            self.close()
            raise

    def _reset(self, keys: Tensor) -> TensorDict:
        rows = [member.reset(key) for member, key in zip(self._members, keys, strict=True)]
        return self._begin.build(_stacked(rows))

    def _step(self, given: Mapping[str, Any], keys: Tensor | None, and_reset: bool) -> tuple[TensorDict, TensorDict]:
        rows: list[list[Tensor]] = []
        fresh: list[list[Tensor] | None] = []
        for i, member in enumerate(self._members):
            mine = {name: value[i] for name, value in given.items()}
            after, following = member.step(mine, None if keys is None else keys[i], and_reset)
            rows.append(after)
            fresh.append(following)
        after = _stacked(rows)
        stands = self._promoted(after)
        if any(following is not None for following in fresh):
            stands = _stacked(
                [self._promoted(row) if new is None else new for row, new in zip(rows, fresh, strict=True)]
            )
        return self._after.build(after), self._begin.build(stands)

    def _restart(self, given: Mapping[str, Any], keys: Tensor | None) -> TensorDict:
        rows = [
            member.restart({name: value[i] for name, value in given.items()}, None if keys is None else keys[i])
            for i, member in enumerate(self._members)
        ]
        return self._begin.build(_stacked(rows))

    def _release(self) -> None:
        for member in self._members:
            member.env.close()


def _stacked(rows: list[list[Tensor]]) -> list[Tensor]:
    return [torch.stack(column) for column in zip(*rows, strict=True)]
