"""What several environments side by side have in common, however they are run."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from frl import random, tree
from frl.envs.base import Env
from frl.envs.creator import EnvCreator
from frl.envs.form import Form
from frl.envs.outline import Outline, agreed, outline
from frl.envs.shell import ENDED, UNRESET, Shell, put
from frl.tensordict import TensorDict

CreateEnv = Callable[[], Env] | Sequence[Callable[[], Env]]


class BatchedEnv(Shell):
    """`num_workers` environments of batch size [*B] as one of [num_workers, *B]; see `SerialEnv` and `ParallelEnv`.

    A step reads the action from `td` and what the environments themselves wrote there beyond observations and flags,
    as the "state" of a pure environment; where that is missing, they go on from where they stand. From the given key,
    or their own, each draws by a key of its own: worker i by `random.split(key, num_workers)[i]`.
    """

    num_workers: int
    create_env_fn: tuple[EnvCreator, ...]
    _outline: Outline
    _name: str = "not made"

    def _adopt(self, sketches: Sequence[Mapping[str, Any]], seed: int) -> None:
        """Shows what all workers show, which must be one and the same."""
        shown = self._outline = outline(agreed(type(self).__name__, sketches))
        self.num_workers, self._name = len(sketches), sketches[0]["name"]
        self.batch_size = torch.Size([self.num_workers, *shown.batch_size])
        self.device, self.max_steps, self.keyed_steps = shown.device, shown.max_steps, shown.keyed_steps
        where = torch.device("cpu") if shown.device is None else shown.device
        self.single_observation_spec, self.single_action_spec = shown.observation.to(where), shown.action.to(where)
        self.reward_dtype, self.state_keys = shown.after["reward"].dtype, shown.state_keys
        self._own = shown.own
        begin, after = (x.expand(*self.batch_size) for x in (shown.begin, shown.after))
        self._begin, self._after = Form(begin), Form(after)
        self._reward = self._after.names.index("reward")
        self.set_seed(seed)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_workers={self.num_workers}, env={self._name}, batch_size={self.batch_size})"

    def __reduce__(self) -> Any:
        return type(self), (self.num_workers, self.create_env_fn, *self._options())

    def _options(self) -> tuple[Any, ...]:
        """What else it was made with; a copy is made anew, with environments of its own."""
        return ()

    def reset(self, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode in every environment, [num_workers, *B].

        Args: key: [2]; by default the environments' own.
        """
        self._require_open()
        td = self._reset(self._keys(key))
        self._refusal = None
        return td

    def step(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """`td` with "next": what the "action" of `td` leads to in every environment."""
        after, _ = self._advance(td, key, False)
        if not self._outline.pure and bool(after["done"].any()):
            self._refusal, self._ended = ENDED, after["done"].squeeze(-1).numpy(force=True)
        return put(td, "next", after, 0)

    def step_and_reset(self, td: TensorDict, key: Tensor | None = None) -> tuple[TensorDict, TensorDict]:
        """What `step` returns, and where the environments stand after it: afresh where they are done."""
        after, following = self._advance(td, key, True)
        return put(td, "next", after, 0), following

    def _advance(self, td: TensorDict, key: Tensor | None, and_reset: bool) -> tuple[TensorDict, TensorDict]:
        if self._refusal is not None:
            self._refuse()
        given = {"action": self._action(td)}
        for name in self._own:
            if name in td:
                given[name] = self._fitting(name, td[name])
        try:
            return self._step(given, self._keys(key) if self.keyed_steps else None, and_reset)
        except BaseException:
            self._refusal = self._refusal or UNRESET  # some may have been stepped and others not
            raise

    def restart(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode where `td` is done; what it returns of other rows is not to be read."""
        self._require_open()
        given = {name: self._fitting(name, td[name]) for name in self._own if name in td}
        keys = self._keys(key) if self.keyed_steps else None
        try:
            fresh = self._restart({**given, "done": td["done"]}, keys)
        except BaseException:
            self._refusal = self._refusal or UNRESET
            raise
        self._refusal = None
        return fresh

    def _fitting(self, name: str, value: Any) -> Any:
        """The environment's own entry, of the shapes and dtypes that a reset gave it."""
        found = [(x.shape, x.dtype) for x in tree.leaves(value)]
        expected = [((self.num_workers, *x.shape), x.dtype) for x in tree.leaves(self._outline.begin[name])]
        if found != expected:
            raise ValueError(
                f"{self}: {name!r} holds {_listed(found)} but must hold {_listed(expected)}; begin with env.reset()."
            )
        return value

    def _keys(self, key: Tensor | None) -> Tensor:
        """One key for each worker, [num_workers, 2]."""
        (key,) = self.split_key(None, 1) if key is None else (key,)
        if key.ndim == 1:
            return random.split(key, self.num_workers)
        if key.shape != (self.num_workers, 2):
            raise ValueError(
                f"{self}: key= has shape {list(key.shape)} but must have [2], or [{self.num_workers}, 2] with one key "
                "for each worker."
            )
        return key

    @abstractmethod
    def _reset(self, keys: Tensor) -> TensorDict:
        """The beginnings, from one key for each worker."""

    @abstractmethod
    def _step(self, given: Mapping[str, Any], keys: Tensor | None, and_reset: bool) -> tuple[TensorDict, TensorDict]:
        """What came of it, [num_workers, *B], and where the environments stand now."""

    @abstractmethod
    def _restart(self, given: Mapping[str, Any], keys: Tensor | None) -> TensorDict:
        """Where the environments stand, afresh where "done" of what is given says so, [num_workers, *B, 1]."""

    def _promoted(self, leaves: list[Tensor]) -> list[Tensor]:
        """The leaves of what came of a step without the reward."""
        return leaves[: self._reward] + leaves[self._reward + 1 :]


def _listed(sizes: Sequence[tuple[Sequence[int], torch.dtype]]) -> str:
    return ", ".join(f"{dtype} {list(shape)}" for shape, dtype in sizes)
