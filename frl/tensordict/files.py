"""TensorDicts in safetensors files, without pickle.

The file holds the leaves under their dotted names, which any tool of that format can read, and in its header
what the format lacks: the batch size and device of each node, and the nodes without leaves.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors import torch as safetensors
from torch import Tensor
from typing_extensions import Self

from frl import tree
from frl.tensordict.core import Device, Node

_HEADER = "frl.TensorDict"


class Files(Node):
    """Saving and loading of a `TensorDict`."""

    __slots__ = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a safetensors file, which is either complete or not there: what was at `path` is replaced at the end.

        >>> from frl import TensorDict
        >>> path = Path(tempfile.mkdtemp()) / "td.safetensors"
        >>> TensorDict({"next": {"reward": torch.ones(5, 1)}}, [5]).save(path)
        >>> TensorDict.load(path)["next"].batch_size
        torch.Size([5])
        """
        leaves = {name: own(leaf) for name, leaf in tree.named_leaves(self)}
        write(Path(path), safetensors.save(leaves, {_HEADER: json.dumps(describe(self))}))

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: Device = None) -> Self:
        """The TensorDict that `save` wrote, on `device` if one is given.

        Raises: FileNotFoundError; ValueError that names the file if it is damaged or of another kind.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"load: there is no file {str(path)!r}.")
        try:
            with safe_open(path, framework="pt") as file:
                header = file.metadata() or {}
                leaves = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        except (SafetensorError, OSError) as error:
            raise ValueError(f"load: {str(path)!r} is damaged or no safetensors file: {error}.") from None
        if _HEADER not in header:
            raise ValueError(f"load: {str(path)!r} is a safetensors file, but no TensorDict was saved in it.")
        return restore(cls, str(path), header[_HEADER], leaves.__getitem__, device)


def own(leaf: Tensor) -> Tensor:
    """The leaf, contiguous in memory that it shares with no other."""
    return leaf.detach().cpu().clone(memory_format=torch.contiguous_format)


def write(path: Path, data: bytes) -> None:
    """Replaces the file at once, when its bytes are on the disk."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def describe(td: Node) -> dict[str, Any]:
    """Batch sizes, devices and the names of the leaves, of JSON's types."""
    return _node(td, iter([name for name, _ in tree.named_leaves(td)]))


def _node(td: Node, names: Iterator[str]) -> dict[str, Any]:
    entries = {key: _node(value, names) if isinstance(value, Node) else next(names) for key, value in td.items()}
    return {"batch_size": list(td.batch_size), "device": td.device and str(td.device), "entries": entries}


def restore(cls: type[Any], where: str, text: str, leaf: Callable[[str], Tensor], device: Device) -> Any:
    """The TensorDict that `describe` described, as JSON's text, of the leaves by name.

    Raises: ValueError that names the place `where` if the text is damaged or does not fit the leaves.
    """
    try:
        return _build(cls, json.loads(text), leaf, device)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"load: {where!r} is damaged: its description does not fit its leaves: {error!r}.") from None


def _build(cls: type[Any], node: Mapping[str, Any], leaf: Callable[[str], Tensor], device: Device) -> Any:
    entries = {
        key: leaf(entry) if isinstance(entry, str) else _build(cls, entry, leaf, device)
        for key, entry in node["entries"].items()
    }
    return cls(entries, node["batch_size"], device or node["device"])
