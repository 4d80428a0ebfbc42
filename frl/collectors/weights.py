"""The weights of a policy that collectors act by: which tensors they are, and whether others may take their place."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from frl import tree
from frl.nn import from_module

_REMEDY = "give what frl.nn.from_module(policy) gives, with frl.nn.buffers(policy) if they change"


def weights_of(policy: Callable[..., Any] | None) -> dict[str, Tensor]:
    """The parameters and buffers of `policy` by their dotted names, its own tensors; none of a plain function.

    Raises: ValueError if a lazy parameter has no shape yet.

    >>> list(weights_of(nn.Linear(2, 1))), weights_of(None)
    (['bias', 'weight'], {})
    """
    if not isinstance(policy, nn.Module):
        return {}
    parameters = tree.named_leaves(from_module(policy, live=True))
    return {name: x.detach() for name, x in (*parameters, *policy.named_buffers())}


def checked(owner: str, policy: Callable[..., Any] | None, params: Any) -> dict[str, Tensor]:
    """The tensors of `params` by their dotted names, copies, when they are known to be weights of `policy`.

    Args: params: all parameters, nested as `from_module` gives them, and any of the buffers.
    Raises: TypeError if `policy` is no module or `params` no mapping, and for another dtype; ValueError that names the
        first tensor that is missing, unknown or of another shape.

    >>> checked("Collector", nn.Linear(2, 1), {"weight": Tensor(1, 3)})
    Traceback (most recent call last):
    ValueError: Collector: params has no bias, which Linear needs; give what frl.nn.from_module(policy) gives, with \
frl.nn.buffers(policy) if they change.
    """
    if not isinstance(policy, nn.Module):
        kind = "None, which acts at random" if policy is None else f"a {type(policy).__name__}"
        raise TypeError(f"{owner}: policy is {kind}, without weights to update; pass an nn.Module as policy.")
    if not isinstance(params, Mapping):
        raise TypeError(f"{owner}: params is a {type(params).__name__} but must be a TensorDict; {_REMEDY}.")
    given = dict(tree.named_leaves(params))
    _require_fitting(owner, policy, given)
    return {each: x.detach().clone() for each, x in given.items()}


def _require_fitting(owner: str, policy: nn.Module, given: Mapping[str, Tensor]) -> None:
    own, name = weights_of(policy), type(policy).__name__
    needed = [each for each, _ in tree.named_leaves(from_module(policy, live=True))]
    missing = [each for each in needed if each not in given]
    if missing:
        raise ValueError(f"{owner}: params has no {missing[0]}, which {name} needs; {_REMEDY}.")
    for each, x in given.items():
        if each not in own:
            raise ValueError(f"{owner}: params has {each}, but {name} has no weight of that name; {_REMEDY}.")
        if x.shape != own[each].shape:
            raise ValueError(
                f"{owner}: {each} has shape {list(x.shape)} but {name} needs {list(own[each].shape)}; {_REMEDY}."
            )
        if x.dtype != own[each].dtype:
            raise TypeError(f"{owner}: {each} is {x.dtype} but {name} needs {own[each].dtype}; {_REMEDY}.")


def nested(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """The tensors as `functional_call` takes them, one dict for each submodule.

    >>> nested({"0.weight": Tensor(1), "bias": Tensor(1)}).keys()
    dict_keys(['0', 'bias'])
    """
    found: dict[str, Any] = {}
    for name, x in weights.items():
        *path, last = name.split(".")
        node = found
        for part in path:
            node = node.setdefault(part, {})
        node[last] = x
    return found
