"""Several environments side by side, each in a process of its own."""

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from frl import check, tree
from frl.envs.batched import BatchedEnv, CreateEnv
from frl.envs.board import allocate, board, copy, view
from frl.envs.channel import ENDED, GIVEN, RESET, RESTART, STEP, STEP_AND_RESET
from frl.envs.creator import creators
from frl.envs.form import Form
from frl.envs.pool import Pool, require_method
from frl.envs.sending import packed
from frl.tensordict import TensorDict

_FAREWELL, _LONGEST_FAREWELL = 0.3, 60.0  # seconds for closing, after an error and otherwise


class ParallelEnv(BatchedEnv):
    """`num_workers` environments of batch size [*B] as one of [num_workers, *B], each in a process of its own.

    Its results are those of `SerialEnv`, bit by bit, and all that is said there holds here. Data go through shared
    memory, no gradient goes through at all, and each process computes with one thread.

    What fails in a worker, be it that its process dies, that it raises, that it takes longer than `timeout` or that it
    returns what does not fit its specs, is an error here that names the worker; all are closed then. A worker ends
    with the process that made it, however that comes about, and its memory has no name that could be left behind.

    Args: create_env_fn: makes one environment; or a list of functions, one for each worker. Unless processes are
        forked, it must be a function of a module, or a `functools.partial` of one, and a script must do its own work
        under `if __name__ == "__main__":`. mp_start_method: "forkserver", "fork" or "spawn"; "fork" takes any
        function, but is safe only where no other thread runs. timeout: seconds that an environment has for being made,
        for a reset, a step and, at the end, for closing. seed: of the first key.
    Raises: what `SerialEnv` raises; WorkerDied, WorkerRaised and WorkerTimeout, all of them WorkerError, that name the
        worker; TypeError for a function that cannot be sent; ValueError for environments that are not on the cpu;
        OSError if there is not enough memory.

    >>> from functools import partial
    >>> from frl.envs import GymEnv
    >>> with ParallelEnv(2, partial(GymEnv, "Pendulum-v1")) as env:
    ...     print(env.rollout(10)["next", "observation"].shape)
    torch.Size([2, 10, 3])
    """

    def __init__(
        self,
        num_workers: int,
        create_env_fn: CreateEnv,
        mp_start_method: str = "forkserver",
        timeout: float = 60.0,
        seed: int = 0,
    ):
        if not isinstance(timeout, (int, float)):
            raise TypeError(f"ParallelEnv: timeout is {timeout!r} but must be a number of seconds.")
        check.above("ParallelEnv", {"timeout": timeout}, 0)
        require_method("ParallelEnv", mp_start_method)
        self.create_env_fn = creators("ParallelEnv", num_workers, create_env_fn)
        self._timeout, self._method = timeout, mp_start_method
        remedy = "give a function of a module, as functools.partial(GymEnv, name)"
        work = [packed("ParallelEnv", "create_env_fn", each, mp_start_method, remedy) for each in self.create_env_fn]
        self._pool = Pool("ParallelEnv", work, mp_start_method, timeout)
        try:
            self._adopt(self._pool.outlines(), seed)
            self._share()
        except BaseException:
            self._abandon()
            raise

    def _options(self) -> tuple[Any, ...]:
        return self._method, self._timeout

    def _share(self) -> None:
        outline = self._outline
        if outline.device not in (None, torch.device("cpu")):
            raise ValueError(
                f"ParallelEnv: the environments are on {outline.device} but must be on the cpu; make them there, and "
                "move what they return by td.to(device)."
            )
        memory = allocate("ParallelEnv", outline, self.num_workers)
        try:
            self._pool.share(memory)
            self._board = board(memory, outline, self.num_workers)
        finally:
            os.close(memory)
        self._views = [view(x) for x in self._board.after]
        self._done = self._board.after[self._after.names.index("done")]
        self._given = Form(outline.given.expand(*self.batch_size)).build(self._board.given)
        self._stands: dict[str, Any] = {}

    def _reset(self, keys: Tensor) -> TensorDict:
        self._board.keys.copy_(keys)
        self._ask(RESET, "a reset")
        return self._standing([x.clone() for x in self._board.following])

    def _step(self, given: Mapping[str, Any], keys: Tensor | None, and_reset: bool) -> tuple[TensorDict, TensorDict]:
        code = STEP_AND_RESET if and_reset else STEP
        self._given["action"].copy_(given["action"].detach())
        if self._stands and any(given.get(name, here) is not here for name, here in self._stands.items()):
            self._give(given)
            code |= GIVEN
        if keys is not None:
            self._board.keys.copy_(keys)
        answers = self._ask(code, "a step")
        leaves = [copy(x) for x in self._views]
        following = self._promoted(leaves)
        if ENDED in answers:
            following = [x.clone() for x in following]
            for row in [i for i, answer in enumerate(answers) if answer == ENDED]:
                for x, fresh in zip(following, self._board.following, strict=True):
                    x[row] = fresh[row]
        return self._after.build(leaves), self._standing(following)

    def _restart(self, given: Mapping[str, Any], keys: Tensor | None) -> TensorDict:
        self._done.copy_(given["done"])  # the only entry of what came of the last step that is read again
        code = RESTART
        if self._stands:
            self._give(given)
            code |= GIVEN
        if keys is not None:
            self._board.keys.copy_(keys)
        self._ask(code, "a restart")
        return self._standing([x.clone() for x in self._board.following])

    def _give(self, given: Mapping[str, Any]) -> None:
        """Writes where the environments go on from, which is not where they stand."""
        for name, here in self._stands.items():
            values = tree.leaves(given.get(name, here))
            for to, x in zip(tree.leaves(self._given[name]), values, strict=True):
                to.copy_(x.detach())

    def _standing(self, leaves: list[Tensor]) -> TensorDict:
        """Where they stand, which is remembered: a worker need not be told what it knows."""
        td = self._begin.build(leaves)
        if self._own:
            self._stands = {name: td[name] for name in self._own}
        return td

    def _ask(self, code: int, doing: str) -> list[int]:
        try:
            return self._pool.ask(code, doing)
        except BaseException:  # of a worker or, as KeyboardInterrupt, from outside: answers are under way
            self._abandon()
            raise

    def _abandon(self) -> None:
        self._pool.close(_FAREWELL)
        self.close()

    def _release(self) -> None:
        self._pool.close(min(self._timeout, _LONGEST_FAREWELL))
