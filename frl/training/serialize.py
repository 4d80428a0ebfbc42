"""A TensorDict as bytes and back, exactly: names, dtypes, shapes, strides, batch sizes, devices; no pickle.

The leaves are a safetensors file under their dotted names, which any tool of that format can read. What that format
lacks is the description: the batch size and device of each node, the nodes without leaves, and each leaf's strides, for
they decide in which order a kernel adds, and so the last bit of what a resumed run computes.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from frl import check, tree
from frl.tensordict import TensorDict


def dump(td: TensorDict) -> tuple[bytes, dict[str, Any]]:
    """The leaves of `td` as a safetensors file, and the description, of JSON's types, that `restore` needs besides.

    >>> data, description = dump(TensorDict({"w": torch.ones(3, 2)}, [3]))
    >>> description
    {'batch_size': [3], 'device': None, 'entries': {'w': {'leaf': 'w', 'strides': [2, 1]}}}
    >>> restore(data, description).batch_size
    torch.Size([3])
    """
    named = tree.named_leaves(td)
    data = safetensors.save({name: _contiguous(leaf) for name, leaf in named})
    return data, _describe(td, iter([name for name, _ in named]))


def restore(data: bytes, description: Mapping[str, Any]) -> TensorDict:
    """The TensorDict that `dump` was given; its leaves own their memory.

    Raises: ValueError if the two do not describe one TensorDict.
    """
    try:
        leaves = safetensors.load(data)
        td = _build(description, leaves)
    except (SafetensorError, LookupError, TypeError, RuntimeError) as error:
        raise ValueError(f"restore: the leaves and their description do not fit: {error!r}.") from error
    if leaves:
        raise ValueError(f"restore: the description has no place for {sorted(leaves)}.")
    return td


def state_hash(state: Any) -> str:
    """SHA-256, in hexadecimal, of the names, dtypes, shapes and bits of all leaves of a tree, in order of name.

    Raises: TypeError if a leaf is no tensor.

    >>> state_hash({"w": torch.zeros(2)})[:8]
    'f03e39f8'
    >>> state_hash({"w": torch.zeros(2)}) == state_hash({"w": -torch.zeros(2)})
    False
    """
    digest = hashlib.sha256()
    named = tree.named_leaves(state)
    check.tensors("state_hash", {name or "the state": leaf for name, leaf in named})
    for name, leaf in sorted(named, key=lambda item: item[0]):
        digest.update(f"{name} {leaf.dtype} {list(leaf.shape)}\n".encode())
        digest.update(_contiguous(leaf).reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _contiguous(leaf: Tensor) -> Tensor:
    return leaf.detach().cpu().clone(memory_format=torch.contiguous_format)


def _describe(td: TensorDict, names: Iterator[str]) -> dict[str, Any]:
    """`names` are those of the leaves of `td`, in the order of `tree.flatten`, which is that of the sorted keys."""
    return {
        "batch_size": list(td.batch_size),
        "device": None if td.device is None else str(td.device),
        "entries": {
            key: {"leaf": next(names), "strides": list(value.stride())}
            if isinstance(value, Tensor)
            else _describe(value, names)
            for key, value in td.items()
        },
    }


def _build(description: Mapping[str, Any], leaves: dict[str, Tensor]) -> TensorDict:
    entries = {
        key: _strided(leaves.pop(entry["leaf"]), entry["strides"]) if "leaf" in entry else _build(entry, leaves)
        for key, entry in description["entries"].items()
    }
    return TensorDict(entries, description["batch_size"], description["device"])


def _strided(x: Tensor, strides: list[int]) -> Tensor:
    """A copy of `x` with these strides; an axis of stride 0 is one element, expanded."""
    once = x[tuple(slice(0, 1) if stride == 0 else slice(None) for stride in strides)]
    return torch.empty_strided(once.shape, strides, dtype=x.dtype).copy_(once).expand(x.shape)
