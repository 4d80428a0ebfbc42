"""What runs in each process of a collector: one group of environments, told to gather one batch at a time."""

import contextlib
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl.collectors.gather import Gatherer, Group, Plan
from frl.collectors.weights import weights_of
from frl.envs import Env
from frl.envs.board import Size, tensors
from frl.envs.channel import DONE, FRESH, OUTLINE, Message, send
from frl.envs.form import Form
from frl.envs.outline import form_of
from frl.envs.sending import unpacked
from frl.envs.worker import Place, close_at_end, memory_of, serve
from frl.specs.plain import to_plain
from frl.tensordict import TensorDict


class Task(NamedTuple):
    """What a worker is given; the function and the policy as bytes unless it is forked.

    together: whether the frames of all workers make one batch.
    """

    create: Any
    policy: Any
    plan: Plan
    device: str | None
    together: bool


class Ledger(NamedTuple):
    """Tensors in shared memory, a row for each worker: what it is told before a batch, and how far it is.

    key: [num_workers, 2]. version: [num_workers], of the weights, each [num_workers, ...]. steps: [num_workers].
    """

    key: Tensor
    version: Tensor
    steps: Tensor
    weights: list[Tensor]


def ledger_sizes(policy: Callable[..., Any] | None, num_workers: int) -> list[Size]:
    """Of the tensors of a ledger.

    >>> ledger_sizes(None, 3)[0]
    (torch.Size([3, 2]), torch.int64)
    """
    n = num_workers
    heads = [(torch.Size(shape), torch.int64) for shape in ((n, 2), (n,), (n,))]
    return [*heads, *((torch.Size([n, *x.shape]), x.dtype) for x in weights_of(policy).values())]


def ledger(shared: Sequence[Tensor]) -> Ledger:
    """The ledger of tensors of these sizes.

    >>> ledger([torch.zeros(3, 2), torch.zeros(3), torch.zeros(3)]).weights
    []
    """
    return Ledger(shared[0], shared[1], shared[2], list(shared[3:]))


class Stopped(Exception):  # noqa: N818
    """Told to close, or left alone, in the middle of a batch."""


def gather_batches(place: Place, task: Task, sock: socket.socket, closing: contextlib.ExitStack) -> None:
    """Makes its environments, shows what all must agree in, and gathers batches until it is told to close."""
    policy = unpacked("policy", task.policy)
    env: Env = unpacked("create_env_fn", task.create)()
    close_at_end(closing, env)
    shown = {
        "name": repr(env),
        "batch_size": list(env.batch_size),
        "observation": to_plain(env.single_observation_spec),
        "action": to_plain(env.single_action_spec),
    }
    send(sock.fileno(), Message(OUTLINE, 0, shown))
    handed = memory_of(sock)
    if handed is None:
        return
    shared = ledger(tensors(handed[0], ledger_sizes(policy, place.num_workers)))
    os.close(handed[0])
    num_envs = env.batch_size.numel()
    steps = task.plan.num_steps(num_envs * place.num_workers if task.together else num_envs)
    device = None if task.device is None else torch.device(task.device)
    group = Group(place.number, place.num_workers, steps)
    gatherer = Gatherer(env, policy, task.plan, group, device)
    with contextlib.suppress(Stopped):
        serve(sock, handed[1], _Desk(gatherer, shared, place, sock, list(weights_of(policy))).obey)


class _Desk:
    def __init__(self, gatherer: Gatherer, shared: Ledger, place: Place, sock: socket.socket, names: list[str]):
        self._gatherer, self._place, self._sock = gatherer, place, sock
        self._rows = ledger([x[place.number] for x in (*shared[:3], *shared.weights)])
        self._names, self._version = names, 0
        self._weights: dict[str, Tensor] | None = None
        self._form: Form | None = None
        self._batch: list[Tensor] = []

    def obey(self, code: int, number: int) -> tuple[int, int]:
        """Gathers a batch and leaves it in shared memory; the answer, and the number to answer with."""
        if code & FRESH:
            self._gatherer.begin(self._rows.key.clone())
        version = int(self._rows.version)
        if version != self._version:
            copies = [x.clone() for x in self._rows.weights]
            self._weights, self._version = dict(zip(self._names, copies, strict=True)), version
        batch = self._gatherer.gather(self._weights, version, self._step).cpu().without_device()
        if self._form is None:
            number = self._show(batch, number)
        assert self._form is not None
        for shared, x in zip(self._batch, self._form.leaves("a batch", batch), strict=True):
            shared.copy_(x)
        return DONE, number

    def _show(self, batch: TensorDict, number: int) -> int:
        """Says what all batches are like, for which it is given memory."""
        self._form = Form(batch)
        send(self._sock.fileno(), Message(OUTLINE, number, form_of(batch)))
        handed = memory_of(self._sock)
        if handed is None:
            raise Stopped
        rows = [(torch.Size([self._place.num_workers, *shape]), dtype) for shape, dtype in self._form.sizes]
        self._batch = [x[self._place.number] for x in tensors(handed[0], rows)]
        os.close(handed[0])
        return handed[1]

    def _step(self) -> None:
        self._rows.steps.add_(1)
        try:  # nothing is to be said before the batch is there, but that it is not wanted any more
            self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        raise Stopped
