"""Parameters as values: out of a module, and into one call of it."""

from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

from torch import Tensor, nn

# The context manager of torch.func.functional_call: the compiler knows it, so it may stand in scans and transforms.
from torch.nn.utils.stateless import _reparametrize_module

from frl.nn.purity import require_pure, require_shapes
from frl.tensordict import TensorDict


def from_module(module: nn.Module, live: bool = False) -> TensorDict:
    """The parameters of `module` as one TensorDict with batch size [], nested as its submodules are.

    A submodule without parameters is an empty entry. A parameter that is used in several places stands at the first of
    them. Buffers stay with the module: they are no subject of gradients and optimisers; `functional_call` takes other
    values for them under their names, as `buffers` gives them.

    Args: live: give the module's own `nn.Parameter`s, for training with `backward()` and `torch.optim`; by default they
        are detached copies, which nothing else can change.
    Raises: ValueError if a lazy parameter has no shape yet.

    >>> params = from_module(nn.Sequential(nn.Linear(3, 2), nn.Tanh()))
    >>> params["0", "weight"].shape, len(params["1"]), params.batch_size
    (torch.Size([2, 3]), 0, torch.Size([]))
    """
    return TensorDict(_collect(module, "", live, set()))


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


def buffers(module: nn.Module) -> TensorDict:
    """The buffers of `module` as one TensorDict with batch size [], detached copies nested as its submodules are.

    They are what a module keeps besides its parameters: how far an exploration is annealed, the noise of a layer, the
    statistics of a normalisation. `functional_call(module, params.update(values), td)` takes `values` for them.

    Raises: ValueError if a lazy buffer has no shape yet.

    >>> from frl.nn import EGreedyModule
    >>> from frl.specs import OneHot
    >>> buffers(nn.Sequential(EGreedyModule(OneHot(2))))["0", "num_frames"]
    tensor(0)
    """
    for path, part in module.named_modules():
        require_shapes(part, f"{path}." if path else "", "buffers")
    found = TensorDict({})
    for name, value in module.named_buffers():
        found = found.set(tuple(name.split(".")), value.detach().clone())
    return found


def functional_call(
    module: nn.Module | Callable[..., Any],
    params: Mapping[str, Any],
    *args: Any,
    key: Tensor | None = None,
    exploration: Any = None,
) -> Any:
    """`module(*args)` as a pure function of `params`, in the spirit of `torch.func.functional_call`.

    The module lends its code; its own parameters are neither read nor changed. A module that works on TensorDicts takes
    `functional_call(policy, params, td, key=key)`. A bound method stands for its module:
    `functional_call(policy.get_dist, params, td)`. Works under `vmap`, `grad`, `scan` and `compile`. During the call
    the module holds the given tensors in place of its own, so one module serves one thread at a time.

    Args: params: nested as `from_module` gives them, each of its module's shape; buffers may be among them.
        key: [2], handed on to the module if it is given. exploration: an `ExplorationType`, likewise.
    Raises: ValueError that names the first parameter that is missing, unknown or of another shape, or the first
        submodule that, in training mode, draws from the global generator (dropout) or writes its buffers (batch norm).

    >>> import torch
    >>> linear = nn.Linear(3, 2)
    >>> functional_call(linear, {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}, torch.ones(3))
    tensor([3., 3.])
    """
    owner: Any = module.__self__ if isinstance(module, MethodType) else module
    if not isinstance(owner, nn.Module):
        raise TypeError(
            f"functional_call: got a {type(module).__name__}; expected an nn.Module or a bound method of one. "
            f"Wrap a plain function as TensorDictModule(function, in_keys, out_keys)."
        )
    options = {name: value for name, value in (("key", key), ("exploration", exploration)) if value is not None}
    with _reparametrize_module(owner, _bind(owner, params)):
        return module(*args, **options)


def _bind(module: nn.Module, params: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensor for each dotted name in `module`, every name of a tied parameter included."""
    given: dict[str, Tensor] = {}
    _flatten(params, "", given)
    bound: dict[str, Tensor] = {}
    _take(module, "", given, bound, {})
    if given:
        raise ValueError(
            f"functional_call: params has an entry {next(iter(given))}, but {type(module).__name__} has no parameter "
            f"or buffer of that name (a tied parameter has one name); take params from from_module of this very module."
        )
    return bound


def _flatten(params: Mapping[str, Any], path: str, given: dict[str, Tensor]) -> None:
    """Adds the leaves of `params`, which stands at `path`, to `given` under their dotted names."""
    if not isinstance(params, Mapping):
        raise TypeError(
            f"functional_call: params{'.' + path[:-1] if path else ''} is a {type(params).__name__}; expected a "
            f"TensorDict or a dict of tensors, nested as from_module gives it."
        )
    # The items of a Mapping take a third longer to trace than the dict inside.
    entries = params._data if isinstance(params, TensorDict) else params
    for name, value in entries.items():
        if isinstance(value, Tensor):
            given[path + name] = value
        else:
            _flatten(value, f"{path}{name}.", given)


def _take(
    module: nn.Module, path: str, given: dict[str, Tensor], bound: dict[str, Tensor], tied: dict[int, Tensor]
) -> None:
    """Moves what `module`, which stands at `path`, needs from `given` to `bound`."""
    require_pure(module, path, "functional_call")
    for name, own in module._parameters.items():
        if own is not None:
            if id(own) not in tied:
                tied[id(own)] = _fitting(module, path + name, given.pop(path + name, None), own)
            bound[path + name] = tied[id(own)]
    for name, own in module._buffers.items():
        if own is not None and path + name in given:
            bound[path + name] = _fitting(module, path + name, given.pop(path + name), own)
    for name, child in module._modules.items():
        if child is not None:
            _take(child, f"{path}{name}.", given, bound, tied)


def _fitting(module: nn.Module, name: str, value: Tensor | None, own: Tensor) -> Tensor:
    """`value`, if it may stand for the module's own tensor of that dotted name."""
    if value is None:
        raise ValueError(
            f"functional_call: params has no tensor {name} of shape {list(own.shape)}, which {type(module).__name__} "
            f"needs; take params from from_module or initialize of this very module."
        )
    if value.shape != own.shape:
        raise ValueError(
            f"functional_call: {name} has shape {list(value.shape)}, but {type(module).__name__} needs "
            f"{list(own.shape)}; take params from this very module, and vmap over a leading axis of members."
        )
    return value
