"""Collection in several processes: in step with each other, or each at its own pace."""

import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from frl import random
from frl.collectors.base import DataCollector
from frl.collectors.gather import Plan, Policy
from frl.collectors.worker import Task, gather_batches, ledger, ledger_sizes
from frl.envs import Env
from frl.envs.board import reserve, tensors
from frl.envs.channel import DONE, FRESH, GATHER, OUTLINE
from frl.envs.creator import another
from frl.envs.form import Form
from frl.envs.outline import agreed, blank
from frl.envs.pool import Job, Patience, Pool, require_method
from frl.envs.sending import packed
from frl.tensordict import TensorDict

_FAREWELL, _LONGEST_FAREWELL = 0.3, 60.0  # seconds for closing, after an error and otherwise
_JOB = Job(gather_batches, "the environment or the policy")
_DOING = "the gathering of a batch"


class MultiCollector(DataCollector):
    """One group of environments for each worker process; see `MultiSyncCollector` and `MultiAsyncCollector`.

    Attributes: timeout: seconds that a worker has for its environments to be made, for a step, and for closing; an
        attribute of the class, which a subclass may set otherwise, or `MultiSyncCollector.timeout = 300.0`.
    """

    timeout: float = 60.0
    _together: bool

    def __init__(
        self,
        create_env_fn: Sequence[Env | Callable[[], Env]],
        policy: Policy = None,
        frames_per_batch: int = 200,
        total_frames: int = -1,
        max_frames_per_traj: int = -1,
        init_random_frames: int = 0,
        device: torch.device | str | Sequence[torch.device | str] | None = None,
        mp_start_method: str = "forkserver",
    ):
        owner = type(self).__name__
        self._prepare(Plan(owner, frames_per_batch, total_frames, max_frames_per_traj, init_random_frames), policy)
        self._closed = True  # until there are workers
        require_method(owner, mp_start_method)
        if not isinstance(create_env_fn, Sequence) or not create_env_fn:
            shown = "empty" if isinstance(create_env_fn, Sequence) else f"a {type(create_env_fn).__name__}"
            raise TypeError(
                f"{owner}: create_env_fn is {shown} but must be a list with one function or environment for each "
                "worker, as [create] * 2."
            )
        self._num_workers = len(create_env_fn)
        devices = _devices(owner, device, self._num_workers)
        self._device = None if device is None else torch.device("cpu")
        tasks = self._tasks(create_env_fn, devices, mp_start_method)
        self._pool = Pool(owner, tasks, mp_start_method, self.timeout, _JOB)
        self._closed = False
        self._or_abandon(self._open)

    def _tasks(self, create: Sequence[Any], devices: Sequence[str | None], method: str) -> list[Task]:
        owner, remedy = self._plan.owner, "give functions of a module, as functools.partial(GymEnv, name)"
        functions = [another(owner, each) for each in create]
        sent = [packed(owner, "create_env_fn", each, method, remedy) for each in functions]
        remedy = "give a module, or a function of one that is imported"
        policy = packed(owner, "policy", self._policy, method, remedy)
        return [
            Task(each, policy, self._plan, device, self._together) for each, device in zip(sent, devices, strict=True)
        ]

    def _open(self) -> None:
        """Learns what the workers have, and gives them what they are told by."""
        n = self._num_workers
        shown = agreed(self._plan.owner, self._pool.outlines())
        self._batch_size = torch.Size(shown["batch_size"])
        num_envs = self._batch_size.numel()
        self._plan.num_steps(num_envs * n if self._together else num_envs)
        sizes = ledger_sizes(self._policy, n)
        memory = reserve(self._plan.owner, sizes)
        try:
            self._ledger = ledger(tensors(memory, sizes))
            self._pool.share(memory)
        finally:
            os.close(memory)
        self._form: Form | None = None
        self._under_way: dict[int, Patience] = {}
        self._begin(random.key(0))

    def _begin(self, key: Tensor) -> None:
        self._or_abandon(self._drain)
        self._key, self._fresh = key, set(range(self._num_workers))

    def _drain(self) -> None:
        """Waits for batches that nobody is to see."""
        while self._under_way:
            self._answered()

    # ---- telling and hearing

    def _order(self, i: int) -> None:
        """Tells worker `i` to gather a batch by the latest weights."""
        rows = self._ledger
        if self._weights is not None and int(rows.version[i]) != self.version:
            for shared, x in zip(rows.weights, self._weights.values(), strict=True):
                shared[i].copy_(x)
            rows.version[i] = self.version
        code = GATHER
        if i in self._fresh:
            self._fresh.discard(i)
            rows.key[i] = self._key
            code |= FRESH
        self._under_way[i] = Patience(self.timeout, rows.steps[i].item)  # type: ignore[arg-type]
        self._pool.tell(i, code, _DOING)

    def _answered(self) -> int:
        """The first worker, in the order in which they were told, that has a batch in shared memory."""
        i = self._pool.first(self._under_way, _DOING)
        self._pool.hear(i, _DOING, (DONE,), self._under_way[i])
        del self._under_way[i]
        return i

    def _meet(self) -> None:
        """Hears of all workers what their first batches are like, and gives them memory for them."""
        shown = [
            self._pool.hear(i, _DOING, (OUTLINE,), patience).content for i, patience in sorted(self._under_way.items())
        ]
        form = Form(blank(agreed(self._plan.owner, [{"name": "", **each} for each in shown])))
        sizes = [(torch.Size([self._num_workers, *shape]), dtype) for shape, dtype in form.sizes]
        memory = reserve(self._plan.owner, sizes)
        try:
            self._shared = tensors(memory, sizes)
            for i in range(self._num_workers):
                self._pool.hand(i, memory, _DOING)
        finally:
            os.close(memory)
        self._form = form

    def _order_all(self) -> None:
        for i in range(self._num_workers):
            if i not in self._under_way:
                self._order(i)
        if self._form is None:
            self._meet()

    def _next(self) -> TensorDict:
        return self._placed(self._or_abandon(self._gathered))

    @abstractmethod
    def _gathered(self) -> TensorDict:
        """The next batch, in memory of its own."""

    # ---- the end

    def _or_abandon(self, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except BaseException:  # of a worker or, as KeyboardInterrupt, from outside: answers are under way
            self._closed = True
            self._pool.close(_FAREWELL)
            raise

    def _release(self) -> None:
        self._pool.close(min(self.timeout, _LONGEST_FAREWELL))


class MultiSyncCollector(MultiCollector):
    """Batches of several groups of environments, each in a process of its own, all of which act by the same weights.

    Groups of batch size [n] give batches [num_workers·n, T], single environments [num_workers, T], with the entries of
    `Collector`. The same environments in one, two or three groups give the same data: bit by bit if actions are random,
    and to the rounding of matrices of another size if a network chooses them; equal too are those of
    `Collector(SerialEnv(...))`.

    Weights that `update_weights` is given are those of the next batch. Data and weights go through shared memory
    without a name, which goes with the processes. What fails in a worker is an error here that names it, as in
    `ParallelEnv`, and closes all. Each process computes with one thread.

    Args: create_env_fn: a list with a function or an environment for each worker; an environment stays the caller's,
        another one like it is made in the worker. policy, frames_per_batch, total_frames, max_frames_per_traj,
        init_random_frames: as of `Collector`; frames are those of all workers. device: where the policies act, one for
        all or one for each; batches are on the cpu, and pinned to it if a device is given. mp_start_method:
        "forkserver", "fork" or "spawn". Unless processes are forked, functions and the policy must be such as can be
        sent, of modules that can be imported, and a script must do its work under `if __name__ == "__main__":`.
    Raises: what `Collector` raises; WorkerDied, WorkerRaised and WorkerTimeout, all of them WorkerError; TypeError for
        what cannot be sent; ValueError if environments differ; OSError if there is not enough memory.

    >>> from functools import partial
    >>> from frl.envs import GymEnv
    >>> create = partial(GymEnv, "Pendulum-v1", num_envs=3)
    >>> with MultiSyncCollector([create] * 2, frames_per_batch=60, total_frames=120) as collector:
    ...     print([data.batch_size for data in collector])
    [torch.Size([6, 10]), torch.Size([6, 10])]
    """

    _together = True

    def _gathered(self) -> TensorDict:
        self._order_all()
        while self._under_way:
            self._answered()
        assert self._form is not None
        leaves = [x.flatten(0, 1) if self._batch_size else x for x in self._shared]
        return _batch(self._form, leaves)


class MultiAsyncCollector(MultiCollector):
    """Batches of one group of environments at a time, from processes that go on while the learner works.

    As `MultiSyncCollector`, but each batch, [n, T] or [T], is that of one worker, the first that has one. It then
    begins the next at once, by the latest weights at that time: `("collector", "version")` says by which ones. Where
    weights are updated after every batch, it is behind by as many as there are workers, by more of a slow one. Which
    worker comes first depends on the machine; what each gathers does not, as long as the weights do not change.

    >>> from functools import partial
    >>> from frl.envs import GymEnv
    >>> create = partial(GymEnv, "Pendulum-v1", num_envs=3)
    >>> with MultiAsyncCollector([create] * 2, frames_per_batch=60, total_frames=120) as collector:
    ...     print([data.batch_size for data in collector])
    [torch.Size([3, 20]), torch.Size([3, 20])]
    """

    _together = False

    def _gathered(self) -> TensorDict:
        if not self._under_way:
            self._order_all()
        i = self._answered()
        assert self._form is not None
        batch = _batch(self._form, [x[i] for x in self._shared])
        frames = self._plan.frames_per_batch * (1 + len(self._under_way))
        if self._plan.total_frames < 0 or self.frames + frames < self._plan.total_frames:
            self._order(i)  # else what is under way is enough
        return batch


def _batch(form: Form, leaves: Sequence[Tensor]) -> TensorDict:
    """The batch of these leaves, which are copied; leading axes more than those of the form are batch axes too."""
    return form.build([x.clone() for x in leaves])


def _devices(owner: str, device: Any, num_workers: int) -> list[str | None]:
    """One for each worker, from one for all or from a list."""
    each = list(device) if isinstance(device, (list, tuple)) else [device] * num_workers
    if len(each) != num_workers:
        raise ValueError(
            f"{owner}: device has {len(each)} devices but create_env_fn has {num_workers} functions; give one for each "
            "worker, or a single one for all."
        )
    return [None if one is None else str(torch.device(one)) for one in each]
