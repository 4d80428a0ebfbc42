"""Initial parameters as a function of a key."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from frl import check, random
from frl.nn.lazy import materialize
from frl.nn.params import from_module
from frl.tensordict import TensorDict

Scheme = Callable[[nn.Module, Tensor], Mapping[str, Tensor]]
"""(a module, a key [2]) -> new values for the module's own parameters; one that is left out keeps its value."""


def torch_default(module: nn.Module, key: Tensor) -> dict[str, Tensor]:
    """The scheme of torch's own constructors, drawn from `key`.

    Linear and convolution layers: uniform within ±1/√fan_in, the Kaiming-uniform rule with a = √5. Recurrent layers and
    cells: uniform within ±1/√hidden. Embeddings: standard normal, zeros at the padding index. Attention: Xavier
    projections and zero biases. Normalisation: weight 1 and bias 0. A module with a method `initial_parameters(key)`:
    what that gives. A module of another kind keeps its values.

    >>> torch_default(nn.LayerNorm(2), random.key(0))
    {'weight': tensor([1., 1.]), 'bias': tensor([0., 0.])}
    """
    scheme: Any = getattr(module, "initial_parameters", None)
    if scheme is not None:
        return scheme(key)
    own = {name: value for name, value in module._parameters.items() if value is not None}
    for kinds, fill in _DEFAULTS:
        if isinstance(module, kinds):
            return fill(module, own, key)
    return {}


def orthogonal(gain: float = 1.0) -> Scheme:
    """The scheme of PPO: orthogonal weights times `gain` and zero biases for linear layers and convolutions.

    The rows of a weight as [out, rest], or its columns if these are fewer, are orthogonal and of length `gain`. Other
    modules have the scheme `torch_default`. Source: Saxe et al. (2014), arXiv:1312.6120.

    Raises: ValueError for a negative gain.

    >>> weight = orthogonal(gain=2.0)(nn.Linear(3, 2), random.key(0))["weight"]
    >>> torch.allclose(weight @ weight.T, 4 * torch.eye(2), atol=1e-5)
    True
    """
    check.at_least("orthogonal", {"gain": gain}, 0)

    def scheme(module: nn.Module, key: Tensor) -> dict[str, Tensor]:
        if not isinstance(module, (nn.Linear, _ConvNd)):
            return torch_default(module, key)
        values = {"weight": gain * _orthogonal(module.weight, key)}
        return values if module.bias is None else {**values, "bias": torch.zeros_like(module.bias)}

    return scheme


def initialize(
    module: nn.Module, key: Tensor, scheme: Scheme = torch_default, last: Scheme | None = None, example: Any = None
) -> TensorDict:
    """New parameters for `module` from `key` alone, nested as by `from_module`; `vmap` over keys gives an ensemble.

    A parameter that the scheme does not know keeps the value that its constructor gave it, the same in every member of
    an ensemble. To start one part in another way, set it: `params.set("head", initialize(module.head, key, other))`.

    Args: key: [2]. scheme: what to draw for each submodule. last: another scheme for the last submodule that has
        parameters, such as `orthogonal(0.01)` for a policy that begins indifferent. example: an input, a TensorDict for
        modules of frl, to find the shapes of lazy parameters by.
    Raises: ValueError if the module is lazy and has no example, or if a scheme returns an unknown name or shape.

    >>> net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    >>> params = initialize(net, random.key(0), orthogonal(2**0.5), last=orthogonal(0.01))
    >>> bool(params["2", "weight"].norm() < 0.02), params["2", "bias"].tolist()
    (True, [0.0, 0.0])
    >>> torch.vmap(lambda key: initialize(net, key))(random.split(random.key(0), 5))["0", "weight"].shape
    torch.Size([5, 8, 3])
    """
    if example is not None:
        materialize(module, example)
    params = from_module(module)
    layers = [(path, part) for path, part in module.named_modules() if part._parameters]
    for i, (path, layer) in enumerate(layers):
        chosen = scheme if last is None or i < len(layers) - 1 else last
        prefix = tuple(path.split(".")) if path else ()
        for name, value in chosen(layer, random.fold_in(key, i)).items():
            own = layer._parameters.get(name)
            if own is None or own.shape != value.shape:
                raise ValueError(
                    f"initialize: the scheme gives {name} of shape {list(value.shape)} for {path or 'the module'}, but "
                    f"{layer} has {'no parameter of that name' if own is None else list(own.shape)}."
                )
            if (*prefix, name) in params:  # a tied parameter is set at its first place alone
                # contiguous, as every later value is: torch.compile would compile again for other strides
                params = params.set((*prefix, name), value.to(own.device, own.dtype).contiguous())
    return params


_Own = dict[str, nn.Parameter]


def _uniform(own: _Own, bound: float, key: Tensor) -> dict[str, Tensor]:
    keys = random.split(key, len(own))
    return {
        name: random.uniform(value.shape, k, low=-bound, high=bound, dtype=value.dtype)
        for (name, value), k in zip(own.items(), keys, strict=True)
    }


def _fan_in(module: nn.Module, own: _Own, key: Tensor) -> dict[str, Tensor]:
    return _uniform(own, 1 / math.sqrt(max(1, own["weight"][0].numel())), key)


def _projection(module: nn.Module, own: _Own, key: Tensor) -> dict[str, Tensor]:
    """The output layer of an attention: its bias is zero."""
    return {name: torch.zeros_like(x) if name == "bias" else x for name, x in _fan_in(module, own, key).items()}


def _bilinear(module: nn.Module, own: _Own, key: Tensor) -> dict[str, Tensor]:
    return _uniform(own, 1 / math.sqrt(own["weight"].shape[1]), key)


def _recurrent(module: Any, own: _Own, key: Tensor) -> dict[str, Tensor]:
    return _uniform(own, 1 / math.sqrt(module.hidden_size), key)


def _embedding(module: Any, own: _Own, key: Tensor) -> dict[str, Tensor]:
    weight = random.normal(own["weight"].shape, key, dtype=own["weight"].dtype)
    if module.padding_idx is not None:
        rows = torch.arange(len(weight), device=weight.device)
        weight = torch.where((rows == module.padding_idx)[:, None], 0.0, weight)
    return {"weight": weight}


def _attention(module: nn.Module, own: _Own, key: Tensor) -> dict[str, Tensor]:
    keys = dict(zip(own, random.split(key, len(own)), strict=True))

    def value(name: str, x: Tensor) -> Tensor:
        if name.endswith("weight"):
            bound = math.sqrt(6 / sum(x.shape))
            return random.uniform(x.shape, keys[name], low=-bound, high=bound, dtype=x.dtype)
        if name == "in_proj_bias":
            return torch.zeros_like(x)
        return random.normal(x.shape, keys[name], dtype=x.dtype) / math.sqrt(x.shape[-1])

    return {name: value(name, x) for name, x in own.items()}


def _norm(module: nn.Module, own: _Own, key: Tensor) -> dict[str, Tensor]:
    return {name: torch.zeros_like(x) if name == "bias" else torch.ones_like(x) for name, x in own.items()}


_DEFAULTS: tuple[tuple[tuple[type, ...], Callable[[Any, _Own, Tensor], dict[str, Tensor]]], ...] = (
    ((NonDynamicallyQuantizableLinear,), _projection),
    ((nn.Linear, _ConvNd), _fan_in),
    ((nn.Bilinear,), _bilinear),
    ((nn.RNNBase, nn.RNNCellBase), _recurrent),
    ((nn.Embedding, nn.EmbeddingBag), _embedding),
    ((nn.MultiheadAttention,), _attention),
    ((nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, _NormBase), _norm),
)


def _orthogonal(like: Tensor, key: Tensor) -> Tensor:
    """A matrix with orthonormal rows or columns, in the shape of `like` [out, ...], uniform over all of them."""
    rows, columns = like.shape[0], like[0].numel()
    normal = random.normal((max(rows, columns), min(rows, columns)), key, dtype=like.dtype)
    q, r = torch.linalg.qr(normal)
    q = q * torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0)  # without it, the result is not uniform
    return (q.T if rows < columns else q).reshape(like.shape)
