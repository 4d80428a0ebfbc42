"""What every distribution is: an immutable value whose parameters are the leaves of a pytree."""

import dataclasses
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

import torch
from torch import Tensor

from frl import check, random, tree

D = TypeVar("D", bound="type[Distribution]")


class Distribution:
    """A batch of distributions: `batch_shape` many, of values that have the shape `event_shape`.

    Its constructor takes the parameters by name, so that `Normal(**{k: td[k] for k in ("loc", "scale")})` works, and
    looks at shapes and dtypes only. It goes into and comes out of `vmap`, `compile` and `scan` like a tensor.

    A key [*K, 2] with batch axes draws row i of the batch from `key[i]` alone; one key [2] serves the whole batch.

    >>> from frl.distributions import Normal
    >>> policy = Normal(loc=torch.zeros(3), scale=torch.ones(3))
    >>> policy, policy.sample(random.split(random.key(0), 3)).shape
    (Normal(loc: [3], scale: [3]), torch.Size([3]))
    """

    @property
    def batch_shape(self) -> torch.Size:
        """*B, the shape of `log_prob` and `entropy`."""
        raise NotImplementedError

    @property
    def event_shape(self) -> torch.Size:
        """*E, the shape of one value: a sample is [*B, *E]."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """[*B, *E], the value of a deterministic policy."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """[*B, *E], floating point."""
        return self._none("mean", "take .mode, or average samples")

    @property
    def stddev(self) -> Tensor:
        """[*B, *E], floating point."""
        return self._none("standard deviation", "estimate it from samples")

    @property
    def has_rsample(self) -> bool:
        """Whether there is `rsample`: whether samples are differentiable in the parameters."""
        return type(self).rsample is not Distribution.rsample

    def rsample(self, key: Tensor) -> Tensor:
        """A sample [*B, *E] through which gradients flow into the parameters."""
        return self._none("reparameterised sample", "take .sample(key), and a gradient through .log_prob")

    def sample(self, key: Tensor) -> Tensor:
        """A sample [*B, *E], without gradient."""
        return self.rsample(key).detach()

    def log_prob(self, x: Tensor) -> Tensor:
        """[*B, *E] -> [*B], the logarithm of the density (of the probability, if discrete) of `x`."""
        raise NotImplementedError

    def rsample_and_log_prob(self, key: Tensor) -> tuple[Tensor, Tensor]:
        """`rsample(key)` and its log-probability [*B], from what the sample was made of where that is more exact."""
        x = self.rsample(key)
        return x, self.log_prob(x)

    def entropy(self) -> Tensor:
        """[*B], in nats; differential if continuous."""
        return self._none("entropy in closed form", "estimate it by -log_prob of a sample")

    def _none(self, what: str, remedy: str) -> NoReturn:
        raise NotImplementedError(f"{type(self).__name__} has no {what}; {remedy}.")

    def __repr__(self) -> str:
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        shown = [f"{name}: {list(x.shape) if isinstance(x, Tensor) else x}" for name, x in fields.items()]
        return f"{type(self).__name__}({', '.join(shown)})"


def static() -> Any:
    """A field that is part of the structure of a distribution and no leaf; it must be hashable.

    >>> static().metadata["static"]
    True
    """
    return dataclasses.field(metadata={"static": True})


def pytree(cls: D) -> D:
    """A class decorator: registers a frozen dataclass as a node; its fields are tensors, distributions or `static()`.

    >>> from frl.distributions import Delta
    >>> tree.leaves({"policy": Delta(torch.ones(2))})
    [tensor([1., 1.])]
    """
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    names = [field.name for field in fields if "static" not in field.metadata]
    fixed = [field.name for field in fields if "static" in field.metadata]

    def flatten(distribution: Any) -> tuple[list[Any], tuple[Any, ...]]:
        return [getattr(distribution, name) for name in names], tuple([getattr(distribution, name) for name in fixed])

    def unflatten(children: Iterable[Any], context: tuple[Any, ...]) -> Any:
        distribution = object.__new__(cls)  # without the constructor's checks: leaves need not be tensors here
        for name, child in zip([*names, *fixed], [*children, *context], strict=True):
            object.__setattr__(distribution, name, child)
        return distribution

    tree.register(cls, flatten, unflatten)
    return cls


def noise(name: str, like: Tensor, key: Tensor) -> Tensor:
    """Standard normal numbers of the shape and dtype of `like` [*K, ...], row by row from `key` [*K, 2].

    >>> noise("Normal", torch.zeros(3, 2), random.split(random.key(0), 3)).shape
    torch.Size([3, 2])
    """
    rows = key.shape[:-1] if isinstance(key, Tensor) else ()
    if like.shape[: len(rows)] != rows:
        raise ValueError(
            f"{name}.sample: key= has batch axes {list(rows)} but the parameters have shape {list(like.shape)}; "
            "pass one key, or one for each row."
        )
    return random.normal(like.shape[len(rows) :], key, dtype=like.dtype)


def sum_last(x: Tensor, n: int) -> Tensor:
    """[*B, *E] -> [*B], the sum over the last `n` axes; `x` itself if there are none.

    >>> sum_last(torch.ones(2, 3, 4), 2).tolist()
    [12.0, 12.0]
    """
    return x.flatten(x.ndim - n).sum(-1) if n else x


def check_parameters(name: str, parameters: dict[str, Tensor]) -> None:
    """Raises unless all parameters are floating point, of one dtype and one shape; the last is the reference.

    >>> check_parameters("Normal", {"scale": torch.ones(2), "loc": torch.ones(3, 2)})
    Traceback (most recent call last):
    ValueError: Normal: scale has shape [2] but loc has [3, 2]; expand one to the shape of the other.
    """
    check.floating(name, parameters)
    check.same_dtype(name, parameters)
    check.same_shape(name, parameters, "expand one to the shape of the other")


def check_value(name: str, x: Tensor, like: Tensor) -> None:
    """Raises unless `x` has the shape and dtype of `like`: a value of another shape would broadcast in silence.

    >>> check_value("Delta", torch.ones(3, 1), torch.ones(3))
    Traceback (most recent call last):
    ValueError: Delta.log_prob: x has shape [3, 1] but must have [3]; pass one value for each distribution of the batch.
    """
    check.same_dtype(f"{name}.log_prob", {"x": x, "the parameter": like})
    check.shape(f"{name}.log_prob", {"x": x}, like.shape, "pass one value for each distribution of the batch")
