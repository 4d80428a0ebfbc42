"""Which torch modules are no pure functions of their parameters, and what to do about it."""

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils.parametrizations import _SpectralNorm

_LAZY = "is lazy and has no shapes yet; call materialize(module, td) first, or initialize(module, key, example=td)"
_DRAWS = "draws from the global generator in training mode; call module.eval()"
_WRITES = "writes into its own buffers in training mode; call module.eval()"
_RULES: tuple[tuple[type, Callable[[Any], bool], str], ...] = (
    (LazyModuleMixin, lambda m: m.has_uninitialized_params(), _LAZY),
    (_DropoutNd, lambda m: m.training and m.p > 0, _DRAWS),
    (nn.RReLU, lambda m: m.training and m.lower < m.upper, _DRAWS),
    (nn.RNNBase, lambda m: m.training and m.dropout > 0, _DRAWS),
    (nn.MultiheadAttention, lambda m: m.training and m.dropout > 0, _DRAWS),
    (_NormBase, lambda m: m.training and m.track_running_stats, _WRITES),
    (_SpectralNorm, lambda m: m.training, _WRITES),
)
_KINDS = tuple(kind for kind, _, _ in _RULES)


def require_pure(module: nn.Module, path: str, function: str) -> None:
    """Raises ValueError if `module`, its submodules aside, is no pure function of parameters that have a shape.

    Args: path: where it stands in the tree, with a dot at the end; function: who asks; both for the message.

    >>> require_pure(nn.Dropout(0.1).eval(), "0.", "functional_call")
    >>> require_pure(nn.Dropout(0.1), "0.", "functional_call")
    Traceback (most recent call last):
    ValueError: functional_call: 0 (Dropout) draws from the global generator in training mode; call module.eval().
    """
    if not isinstance(module, _KINDS):
        return
    for kind, holds, what in _RULES:
        if isinstance(module, kind) and holds(module):
            name = f"{path[:-1]} ({type(module).__name__})" if path else type(module).__name__
            raise ValueError(f"{function}: {name} {what}.")


def require_shapes(module: nn.Module, path: str, function: str) -> None:
    """Raises ValueError if `module`, its submodules aside, has lazy parameters without a shape.

    >>> require_shapes(nn.LazyLinear(2), "", "from_module")
    Traceback (most recent call last):
    ValueError: from_module: LazyLinear is lazy and has no shapes yet; call materialize(module, td) first, or \
initialize(module, key, example=td).
    """
    if isinstance(module, LazyModuleMixin):
        require_pure(module, path, function)
