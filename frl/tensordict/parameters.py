"""The parameters of a torch module as a value, and the module with other parameters for a while."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from torch import Tensor, nn

# The context manager of torch.func.functional_call: the compiler knows it, so it may stand in scans and transforms.
from torch.nn.utils.stateless import _reparametrize_module
from typing_extensions import Self

from frl.tensordict.core import Node
from frl.tensordict.purity import require_pure, require_shapes


class Parameters(Node):
    """Taking a `TensorDict` from a module, and lending it to one."""

    __slots__ = ()

    @classmethod
    def from_module(cls, module: nn.Module, live: bool = False) -> Self:
        """The parameters of `module` as one TensorDict with batch size [], nested as its submodules are.

        A submodule without parameters is an empty entry. A parameter that is used in several places stands at the first
        of them. Buffers stay with the module: they are no subject of gradients and optimisers; `functional_call` takes
        other values for them under their names, as `frl.nn.buffers` gives them.

        Args: live: give the module's own `nn.Parameter`s, for training with `backward()` and `torch.optim`; by default
            they are detached copies, which nothing else can change.
        Raises: ValueError if a lazy parameter has no shape yet.

        >>> from frl import TensorDict
        >>> params = TensorDict.from_module(nn.Sequential(nn.Linear(3, 2), nn.Tanh()))
        >>> params["0", "weight"].shape, len(params["1"]), params.batch_size
        (torch.Size([2, 3]), 0, torch.Size([]))
        """
        if not isinstance(module, nn.Module):
            raise TypeError(
                f"from_module: got a {type(module).__name__}; expected an nn.Module; wrap a plain function as "
                f"TensorDictModule(function, in_keys, out_keys)."
            )
        return cls(_collect(module, "", live, set()))

    def to_module(self, module: nn.Module) -> AbstractContextManager[None]:
        """`module` with these parameters inside `with params.to_module(module):`, and with its own again after it.

        It has its own again after an error, too. Works under `vmap`, `grad` and `compile`; one module serves one thread
        at a time. Prefer `frl.nn.functional_call(module, params, td)`, which is a function and hands on a random key;
        this form is for code that calls the module in several places. Without `with` nothing happens: what is to stay
        in the module goes through its own `load_state_dict`.

        Args: module: the one that the parameters were taken from, or another of the same names and shapes. Values
            for its buffers may stand among the parameters.
        Raises: ValueError, before anything is changed, that names the first parameter that is missing, unknown or of
            another shape, or the first submodule that, in training mode, is no pure function of its parameters.

        >>> import torch
        >>> from frl import TensorDict
        >>> linear = nn.Linear(3, 1)
        >>> with TensorDict({"weight": torch.ones(1, 3), "bias": torch.zeros(1)}).to_module(linear):
        ...     linear(torch.ones(3))
        tensor([3.])
        """
        return lend(module, self, "to_module")


def lend(module: nn.Module, params: Mapping[str, Any], function: str) -> AbstractContextManager[None]:
    """A context in which `module` has `params`, checked at once; for the rest see `to_module`.

    Args: function: who asks, for the message of an error.

    >>> import torch
    >>> linear = nn.Linear(1, 1, bias=False)
    >>> with lend(linear, {"weight": torch.full((1, 1), 2.0)}, "to_module"):
    ...     linear(torch.ones(1))
    tensor([2.])
    """
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"{function}: got a {type(module).__name__}; expected the nn.Module that params was taken from."
        )
    return _reparametrize_module(module, _bind(module, params, function))


def _collect(module: nn.Module, path: str, live: bool, seen: set[nn.Parameter]) -> dict[str, Any]:
    require_shapes(module, path, "from_module")
    found: dict[str, Any] = {}
    for name, parameter in module._parameters.items():
        if parameter is None or parameter in seen:
            continue
        seen.add(parameter)
        found[name] = parameter if live else parameter.detach().clone()
    for name, child in module._modules.items():
        if child is not None:
            found[name] = _collect(child, f"{path}{name}.", live, seen)
    return found


def _bind(module: nn.Module, params: Mapping[str, Any], function: str) -> dict[str, Tensor]:
    """The tensor for each dotted name in `module`, every name of a tied parameter included."""
    given: dict[str, Tensor] = {}
    _flatten(params, "", given, function)
    bound: dict[str, Tensor] = {}
    tied: dict[int, Tensor] = {}
    for path, part in module.named_modules():  # each once: what was lent twice would not be given back
        _take(part, f"{path}." if path else "", given, bound, tied, function)
    if given:
        raise ValueError(
            f"{function}: params has an entry {next(iter(given))}, but {type(module).__name__} has no parameter "
            f"or buffer of that name (a tied parameter has one name); take params from from_module of this very module."
        )
    return bound


def _flatten(params: Mapping[str, Any], path: str, given: dict[str, Tensor], function: str) -> None:
    """Adds the leaves of `params`, which stands at `path`, to `given` under their dotted names."""
    if not isinstance(params, Mapping):
        raise TypeError(
            f"{function}: params{'.' + path[:-1] if path else ''} is a {type(params).__name__}; expected a "
            f"TensorDict or a dict of tensors, nested as from_module gives it."
        )
    # The items of a Mapping take a third longer to trace than the dict inside.
    entries = params._data if isinstance(params, Node) else params
    for name, value in entries.items():
        if isinstance(value, Tensor):
            given[path + name] = value
        else:
            _flatten(value, f"{path}{name}.", given, function)


def _take(
    module: nn.Module,
    path: str,
    given: dict[str, Tensor],
    bound: dict[str, Tensor],
    tied: dict[int, Tensor],
    function: str,
) -> None:
    """Moves what `module`, which stands at `path`, needs by itself from `given` to `bound`."""
    require_pure(module, path, function)
    for name, own in module._parameters.items():
        if own is not None:
            if id(own) not in tied:
                tied[id(own)] = _fitting(module, path + name, given.pop(path + name, None), own, function)
            bound[path + name] = tied[id(own)]
    for name, own in module._buffers.items():
        if own is not None and path + name in given:
            bound[path + name] = _fitting(module, path + name, given.pop(path + name), own, function)


def _fitting(module: nn.Module, name: str, value: Tensor | None, own: Tensor, function: str) -> Tensor:
    """`value`, if it may stand for the module's own tensor of that dotted name."""
    if value is None:
        raise ValueError(
            f"{function}: params has no tensor {name} of shape {list(own.shape)}, which {type(module).__name__} "
            f"needs; take params from from_module or initialize of this very module."
        )
    if value.shape != own.shape:
        raise ValueError(
            f"{function}: {name} has shape {list(value.shape)}, but {type(module).__name__} needs "
            f"{list(own.shape)}; take params from this very module, and vmap over a leading axis of members."
        )
    return value
