"""Parameters as values: out of a module, and into one call of it."""

from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

from torch import Tensor, nn

from frl.tensordict import TensorDict
from frl.tensordict.parameters import lend
from frl.tensordict.purity import require_shapes


def from_module(module: nn.Module, live: bool = False) -> TensorDict:
    """The parameters of `module`, nested as its submodules are: `TensorDict.from_module`; see there.

    >>> params = from_module(nn.Sequential(nn.Linear(3, 2), nn.Tanh()))
    >>> params["0", "weight"].shape, len(params["1"]), params.batch_size
    (torch.Size([2, 3]), 0, torch.Size([]))
    """
    return TensorDict.from_module(module, live)


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
    with lend(owner, params, "functional_call"):
        return module(*args, **options)
