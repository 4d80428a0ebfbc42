"""What the environments share that stand somewhere: a key of their own, and when they refuse to go on."""

from abc import abstractmethod
from typing import Any, NoReturn

import numpy as np
from torch import Tensor

from frl import random
from frl.envs.base import Env
from frl.tensordict import TensorDict

UNRESET, ENDED, CLOSED = "step before a reset", "step after the end", "reset or step after close()"
_REMEDY = {
    UNRESET: "call env.reset() first",
    ENDED: "go on with env.step_and_reset, or with env.reset",
    CLOSED: "make another one",
}


class Shell(Env):
    """An environment that stands somewhere and holds a key, which is used, and advanced, wherever none is given."""

    pure = False
    _key: Tensor
    _refusal: str | None = UNRESET
    _ended: np.ndarray[Any, Any]  # which environments have ended, where that is the refusal

    def set_seed(self, seed: int) -> None:
        """Starts the environment's own key anew: equal seeds give equal trajectories from the next reset on."""
        self._key = random.key(seed)

    def split_key(self, key: Tensor | None, num: int) -> Tensor:
        """`num` keys, [num, 2], from `key`, or from the environment's own."""
        if key is not None:
            return random.split(key, num)
        keys = random.split(self._key, num + 1)
        self._key = keys[0]
        return keys[1:]

    def close(self) -> None:
        """Closes what the environment holds; a later reset or step raises RuntimeError. Closing twice is no error."""
        if self._refusal is not CLOSED:
            self._refusal = CLOSED
            self._release()

    @abstractmethod
    def _release(self) -> None:
        """Closes what the environment holds; called once."""

    def _require_open(self) -> None:
        if self._refusal is CLOSED:
            self._refuse()

    def _refuse(self) -> NoReturn:
        assert self._refusal is not None
        where = f" of {names(self._ended)}" if self._refusal is ENDED else ""
        raise RuntimeError(f"{self}: {self._refusal}{where}; {_REMEDY[self._refusal]}.")


def names(mask: np.ndarray[Any, Any]) -> str:
    """The environments of a mask, in words.

    >>> names(np.array([False, True])), names(np.array([[True, True]]))
    ('environment 1', 'environments [[0, 0], [0, 1]]')
    """
    found = np.argwhere(mask)
    places = found[:, 0].tolist() if mask.ndim == 1 else found.tolist()
    return f"environment {places[0]}" if len(places) == 1 else f"environments {places}"


def put(td: TensorDict, key: str, value: Any, event: int) -> TensorDict:
    """`td.set(key, value)` of a value that is known to fit, with its event rank, at a fraction of its cost."""
    data = {**td._data, key: value}
    if len(data) == len(td):
        return TensorDict._make(data, td._events, None, td._device)
    keys = sorted(data)
    i = keys.index(key)
    return TensorDict._make({k: data[k] for k in keys}, (*td._events[:i], event, *td._events[i:]), None, td._device)
