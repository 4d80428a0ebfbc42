"""Entries of a Composite under nested keys: reading, setting and dropping them."""

from collections.abc import Iterable
from typing import Any

from frl.specs import Composite
from frl.tensordict import Key


def entry_spec(owner: Any, spec: Composite, key: Key) -> Any:
    """The spec under `key`.

    Raises: KeyError that names the transform that looked for it, and what is shown.

    >>> from frl.specs import Unbounded
    >>> entry_spec(None, Composite({"info": {"x": Unbounded(2)}}), ("info", "x")).shape
    torch.Size([2])
    """
    inner: Any = spec
    for name in (key,) if isinstance(key, str) else key:
        if not isinstance(inner, Composite) or name not in inner:
            raise KeyError(
                f"{type(owner).__name__}: the environment shows no {key!r}, only {list(spec)}; name one of them in "
                "in_keys=."
            )
        inner = inner[name]
    return inner


def set_spec(spec: Composite, key: Key, value: Any) -> Composite:
    """`spec` with `value` under `key`; a tuple makes nested Composites where they are missing.

    >>> from frl.specs import Unbounded
    >>> list(set_spec(Composite({}), ("info", "x"), Unbounded(2))["info"])
    ['x']
    """
    name, *rest = (key,) if isinstance(key, str) else key
    if not rest:
        return spec.set(name, value)
    inner = spec[name] if name in spec else Composite({}, spec.shape)
    return spec.set(name, set_spec(inner, tuple(rest), value))


def drop_specs(spec: Composite, keys: Iterable[Key]) -> Composite:
    """`spec` without the entries under `keys`; one that is not there is no error.

    >>> from frl.specs import Unbounded
    >>> list(drop_specs(Composite({"x": Unbounded(2), "y": Unbounded(2)}), ["y", ("x", "z")]))
    ['x']
    """
    for key in keys:
        name, *rest = (key,) if isinstance(key, str) else key
        if name not in spec or (rest and not isinstance(spec[name], Composite)):
            continue
        if rest:
            spec = spec.set(name, drop_specs(spec[name], [tuple(rest)]))
        else:
            spec = Composite({other: spec[other] for other in spec if other != name}, spec.shape)
    return spec


def select_specs(spec: Composite, keys: Iterable[Key]) -> Composite:
    """Only the entries of `spec` under `keys`; one that is not there is no error.

    >>> from frl.specs import Unbounded
    >>> list(select_specs(Composite({"x": Unbounded(2), "y": Unbounded(2)}), ["y", ("x", "z")]))
    ['y']
    """
    chosen = Composite({}, spec.shape)
    for key in keys:
        inner: Any = spec
        for name in (key,) if isinstance(key, str) else key:
            inner = inner[name] if isinstance(inner, Composite) and name in inner else None
        chosen = chosen if inner is None else set_spec(chosen, key, inner)
    return chosen
