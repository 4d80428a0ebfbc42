"""Arithmetic, comparison and reduction: leaf by leaf, over the batch axes."""

from frl.tensordict.core import Node


class Arithmetic(Node):
    """Arithmetic of a `TensorDict`."""

    __slots__ = ()
