"""What all collectors have in common: batches until there are enough, weights with a version, an end."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl import random
from frl.collectors.gather import Plan, Policy, Weights
from frl.collectors.weights import checked, weights_of
from frl.tensordict import TensorDict


class DataCollector(ABC):
    """Batches of experience, one after the other: `for data in collector`; see `Collector`.

    Iterating again goes on where the last iteration stopped.

    Attributes: frames: how many were delivered. version: of the weights that the next batch begins with.
    """

    frames: int
    version: int
    _plan: Plan
    _policy: Policy
    _device: torch.device | None
    _closed: bool = True

    def _prepare(self, plan: Plan, policy: Policy) -> None:
        owner = plan.owner
        if policy is not None and not callable(policy):
            raise TypeError(
                f"{owner}: policy is a {type(policy).__name__} but must be a function of a TensorDict that writes "
                '"action", as a TensorDictModule, or None to act at random.'
            )
        weights_of(policy)  # refuses those without a shape yet
        self._plan, self._policy = plan.require(), policy
        self._weights: Weights | None = None
        self.frames, self.version, self._closed = 0, 0, False

    def __iter__(self) -> Iterator[TensorDict]:
        while self._plan.total_frames < 0 or self.frames < self._plan.total_frames:
            self._require_open()
            data = self._next()
            self.frames += data.numel()
            yield data

    def update_weights(self, params: Any) -> None:
        """Acts by these weights from the next batch on that is begun; `version` grows by one.

        Args: params: all parameters of the policy, as `frl.nn.from_module(policy)` gives them, and any of its buffers,
            such as `frl.nn.buffers(policy)`; they are copied, and the policy stays as it is.
        Raises: TypeError if the policy is no module; ValueError or TypeError that names the first tensor which is
            missing, unknown or does not fit.
        """
        self._require_open()
        given = checked(self._plan.owner, self._policy, params)
        if self._weights is None:
            self._weights = {name: x.clone() for name, x in weights_of(self._policy).items()}
        self._weights = {**self._weights, **given}
        self.version += 1

    def set_seed(self, seed: int) -> None:
        """Begins anew from this seed: fresh episodes with numbers from 0 on, random frames first if there are any.

        Equal seeds give equal batches; what was delivered still counts towards `total_frames`.
        """
        self._require_open()
        self._begin(random.key(seed))

    def shutdown(self) -> None:
        """Closes the environments; another batch raises RuntimeError. Calling it twice is no error."""
        if not self._closed:
            self._closed = True
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError(f"{self._plan.owner}: used after shutdown(); make another one.")

    def _placed(self, batch: TensorDict) -> TensorDict:
        """Where it was asked for: on a device, or not pinned to any."""
        return batch.without_device() if self._device is None else batch.to(self._device)

    @abstractmethod
    def _next(self) -> TensorDict:
        """The next batch."""

    @abstractmethod
    def _begin(self, key: Tensor) -> None:
        """Everything anew from this key."""

    @abstractmethod
    def _release(self) -> None:
        """Closes what is held; called once."""
