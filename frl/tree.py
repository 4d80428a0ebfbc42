"""Operations on pytrees: nested containers of tensors, `TensorDict` among them.

The sole importer of `optree` and of `torch.utils._pytree`. A node type is registered once, with both, at import: this
is one of the few registrations that frl makes. The children of a dict come in the order of insertion, those of a
TensorDict in the order of its sorted keys; anything that is no registered container, `None` included, is a leaf.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import optree
import torch
import torch.utils._pytree as _pytree
from optree.registry import __GLOBAL_NAMESPACE as _GLOBAL_NAMESPACE
from torch import Tensor

TreeSpec = tuple[Any, ...]  # (node type, context, structures of the children), and () for a leaf
_LEAF: TreeSpec = ()
_NODES = _pytree.SUPPORTED_NODES  # how to flatten and unflatten each registered type
_END = object()


def register(
    cls: type,
    flatten: Callable[[Any], tuple[list[Any], Any]],
    unflatten: Callable[[Iterable[Any], Any], Any],
) -> None:
    """Makes `cls` a pytree node, for `torch.utils._pytree` and for `optree` (in its global namespace).

    The children of a Mapping are named by its keys, in its own order; those of another class by their position.

    Args: flatten: node -> (children, context), the context hashable. unflatten: (children, context) -> node.
    """

    def names(node: Any, children: list[Any]) -> list[Any]:
        return list(node) if isinstance(node, Mapping) else list(range(len(children)))

    def flatten_with_keys(node: Any) -> tuple[list[tuple[Any, Any]], Any]:
        children, context = flatten(node)
        keys = [_pytree.MappingKey(name) for name in names(node, children)]
        return list(zip(keys, children, strict=True)), context

    def flatten_with_entries(node: Any) -> tuple[list[Any], Any, list[Any]]:
        children, context = flatten(node)
        return children, context, names(node, children)

    _pytree.register_pytree_node(
        cls,
        flatten,
        unflatten,
        serialized_type_name=f"{cls.__module__}.{cls.__qualname__}",
        flatten_with_keys_fn=flatten_with_keys,
    )
    optree.register_pytree_node(
        cls,
        flatten_with_entries,  # type: ignore[arg-type]
        lambda context, children: unflatten(children, context),
        namespace=_GLOBAL_NAMESPACE,
    )


def flatten(tree: Any) -> tuple[list[Any], TreeSpec]:
    """The leaves of `tree`, in a fixed order, and the structure that `unflatten` needs.

    >>> leaves, structure = flatten({"a": 1, "b": (2, 3)})
    >>> leaves, unflatten(structure, leaves)
    ([1, 2, 3], {'a': 1, 'b': (2, 3)})
    """
    found: list[Any] = []
    return found, _take(tree, found)


def unflatten(structure: TreeSpec, leaves: Iterable[Any]) -> Any:
    """The tree of this `structure` with these `leaves`; the inverse of `flatten`.

    Raises: ValueError if there are more or fewer leaves than the structure holds.

    >>> unflatten(flatten((0, [0]))[1], "ab")
    ('a', ['b'])
    """
    given = [*leaves, _END]
    rest = iter(given)
    tree = _build(structure, rest) if structure else next(rest)
    if next(rest, None) is not _END:
        raise ValueError(f"tree.unflatten: {len(given) - 1} leaves are given; pass as many as the structure holds.")
    return tree


def leaves(tree: Any) -> list[Any]:
    """The leaves of `tree`, in the order of `flatten`.

    >>> leaves({"b": 2, "a": [1, (3,)]})
    [2, 1, 3]
    """
    return flatten(tree)[0]


def named_leaves(tree: Any) -> list[tuple[str, Any]]:
    r"""The leaves with the dotted path that leads to each: keys, field names and positions from the root.

    No two paths of one tree are equal: a dot within a key is written `\.`. A tree that is one leaf has the path "".

    Raises: ValueError if two keys of one dict print alike, as 1 and "1" do.

    >>> named_leaves({"actor": {"w": 2.0}, "steps": (5, 6)})
    [('actor.w', 2.0), ('steps.0', 5), ('steps.1', 6)]
    """
    named = [(".".join(_name(key) for key in path), leaf) for path, leaf in _pytree.tree_leaves_with_path(tree)]
    if len({name for name, _ in named}) < len(named):
        raise ValueError("tree.named_leaves: two keys of one dict print alike; use strings as keys.")
    return named


def map(f: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """The tree whose leaves are `f(leaf, *leaves of rest)`; all trees have the structure of the first.

    Plain dicts may differ in the order of their keys.

    Raises: ValueError that names the first path at which the structures differ.

    >>> map(lambda x, y: x + y, {"a": 1}, {"a": 10})
    {'a': 11}
    """
    xs, structure = flatten(tree)
    others = [_leaves_like(tree, structure, other) for other in rest]
    return unflatten(structure, [f(*values) for values in zip(xs, *others, strict=True)])


def map_unzip(f: Callable[..., tuple[Any, ...]], tree: Any, *rest: Any) -> tuple[Any, ...]:
    """As `map`, for an `f` that returns a tuple: the tuple of the trees of its first results, of its second, and so on.

    Raises: ValueError if there is no leaf, or that names the first path at which the structures differ.

    >>> map_unzip(lambda x, y: (x + y, x - y), {"a": 1, "b": 2}, {"a": 10, "b": 20})
    ({'a': 11, 'b': 22}, {'a': -9, 'b': -18})
    """
    xs, structure = flatten(tree)
    if not xs:
        raise ValueError("tree.map_unzip: the tree has no leaf, so f is never called to say how many trees to return.")
    others = [_leaves_like(tree, structure, other) for other in rest]
    rows = [f(*values) for values in zip(xs, *others, strict=True)]
    return tuple([unflatten(structure, column) for column in zip(*rows, strict=True)])


def where(condition: Tensor, x: Any, y: Any) -> Any:
    """Leaf by leaf, `x` where `condition` holds and `y` elsewhere.

    Args: condition: [*B] boolean; x, y: trees of one structure whose leaves are [*B, ...].
    Raises: ValueError if a leaf does not begin with the shape of the condition.

    >>> where(torch.tensor([True, False]), {"a": torch.ones(2, 3)}, {"a": torch.zeros(2, 3)})["a"][:, 0].tolist()
    [1.0, 0.0]
    """
    batch = condition.shape

    def select(a: Tensor, b: Tensor) -> Tensor:
        if a.shape[: len(batch)] != batch or a.shape != b.shape:
            raise ValueError(
                f"tree.where: the condition has shape {list(batch)} but a leaf has {list(a.shape)} in x and "
                f"{list(b.shape)} in y; both leaves must have one shape that begins with the condition's."
            )
        return torch.where(condition.reshape(batch + (1,) * (a.ndim - len(batch))), a, b)

    return map(select, x, y)


def zeros_like(tree: Any) -> Any:
    """The tree of zeros of the same shapes and dtypes.

    Raises: TypeError if a leaf is no tensor.

    >>> zeros_like({"a": torch.ones(2)})
    {'a': tensor([0., 0.])}
    """
    return map(lambda x: torch.zeros_like(_tensor("zeros_like", x)), tree)


def stack(trees: Iterable[Any], dim: int = 0) -> Any:
    """One tree whose leaves are the leaves of `trees`, stacked along a new axis `dim`.

    Raises: ValueError if there is no tree, or that names the first path at which their structures differ.

    >>> stack([{"a": torch.zeros(2)}, {"a": torch.ones(2)}])["a"].shape
    torch.Size([2, 2])
    """
    trees = list(trees)
    if not trees:
        raise ValueError("tree.stack: there is no tree to stack; pass at least one.")
    return map(lambda *xs: torch.stack(xs, dim), *trees)


def cast(tree: Any, dtype: torch.dtype) -> Any:
    """The same tree with every floating-point leaf as `dtype`; other leaves stay as they are.

    Raises: TypeError if `dtype` is none, or if a leaf is no tensor.

    >>> cast({"x": torch.ones(1), "n": torch.tensor(3)}, torch.float64)
    {'x': tensor([1.], dtype=torch.float64), 'n': tensor(3)}
    """
    if not isinstance(dtype, torch.dtype):
        raise TypeError(f"tree.cast: dtype is {dtype!r} but must be a torch.dtype, such as torch.float64.")

    def convert(x: Tensor) -> Tensor:
        return x.to(dtype) if _tensor("cast", x).is_floating_point() else x

    return map(convert, tree)


def ravel(tree: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
    """All leaves as one vector [P], and the function from such a vector back to the tree (of views).

    Differentiate the tree's leaves and ravel their gradients, rather than differentiate through the views: the latter
    compiles to a chain of scatters, one for each leaf.

    Raises: ValueError if there is no leaf or if the leaves differ in dtype.

    >>> flat, unravel = ravel({"w": torch.ones(2, 2), "b": torch.zeros(1)})
    >>> flat.tolist(), unravel(flat + 1)["b"].tolist()
    ([1.0, 1.0, 1.0, 1.0, 0.0], [1.0])
    """
    xs, structure = flatten(tree)
    if len({x.dtype for x in xs}) != 1:
        found = ", ".join(f"{name} is {x.dtype}" for name, x in named_leaves(tree)) or "there is no leaf"
        raise ValueError(f"tree.ravel: all leaves must have one dtype, but {found}; use tree.cast first.")
    shapes = [x.shape for x in xs]
    sizes = [x.numel() for x in xs]

    def unravel(flat: Tensor) -> Any:
        parts = torch.split(flat, sizes)
        return unflatten(structure, [part.view(shape) for part, shape in zip(parts, shapes, strict=True)])

    return torch.cat([x.reshape(-1) for x in xs]), unravel


def _tensor(function: str, x: Any) -> Tensor:
    if not isinstance(x, Tensor):
        raise TypeError(f"tree.{function}: a leaf is {x!r} but must be a tensor; convert it by torch.as_tensor.")
    return x


# Torch's own flatten and unflatten do more than this needs, and each call costs Dynamo a third of a second of tracing.
# For the same reason leaves are taken in the loops below rather than by one more call for each.


def _take(node: Any, leaves: list[Any]) -> TreeSpec:
    """Appends the leaves under `node`; returns its structure."""
    kind = type(node)
    rule = _NODES.get(kind)
    if rule is None:
        kind = _pytree._get_node_type(node)  # a NamedTuple is registered as such, not by its class
        rule = _NODES.get(kind)
    if rule is None:
        leaves.append(node)
        return _LEAF
    children, context = rule.flatten_fn(node)
    structures: list[TreeSpec] = []
    for child in children:
        if isinstance(child, Tensor):
            leaves.append(child)
            structures.append(_LEAF)
        else:
            structures.append(_take(child, leaves))
    return kind, tuple(context) if isinstance(context, list) else context, tuple(structures)  # a list is a dict's keys


def _build(structure: TreeSpec, leaves: Iterator[Any]) -> Any:
    """The node of this structure, of the next leaves."""
    kind, context, structures = structure
    children = [_build(child, leaves) if child else next(leaves, _END) for child in structures]
    return _NODES[kind].unflatten_fn(children, context)


def _name(key: Any) -> str:
    for field in ("key", "idx", "name"):
        if hasattr(key, field):
            return str(getattr(key, field)).replace("\\", "\\\\").replace(".", "\\.")
    return str(key)


def _leaves_like(tree: Any, structure: TreeSpec, other: Any) -> list[Any]:
    xs, found = flatten(other)
    if found == structure:
        return xs
    difference = _difference(tree, other, "")
    if difference is not None:
        raise ValueError(f"tree.map: the trees differ: {difference}; pass trees of one structure.")
    by_name = dict(named_leaves(other))
    return [by_name[name] for name, _ in named_leaves(tree)]


def _children(node: Any) -> dict[str, Any] | None:
    """The children by name, or None for a leaf."""
    found = _pytree.tree_leaves_with_path(node, is_leaf=lambda x: x is not node)
    if len(found) == 1 and not found[0][0]:
        return None
    return {_name(path[0]): child for path, child in found}


def _difference(x: Any, y: Any, path: str) -> str | None:
    """The first difference between two structures, in words; None if they differ in no more than the order of keys."""
    here = f'"{path}"' if path else "the root"
    a, b = _children(x), _children(y)
    if a is None and b is None:
        return None
    if type(x) is not type(y):
        return f"{here} is a {type(x).__name__} in the first and a {type(y).__name__} in the other"
    assert a is not None
    assert b is not None
    prefix = f"{path}." if path else ""
    for name in [*a, *b]:
        if name not in a or name not in b:
            return f'"{prefix}{name}" is only in the {"first" if name in a else "other"}'
        difference = _difference(a[name], b[name], prefix + name)
        if difference is not None:
            return difference
    if not isinstance(x, dict) and flatten(x)[1][1] != flatten(y)[1][1]:
        return f"the {type(x).__name__}s at {here} have equal keys but differ in what they say of their entries"
    return None
