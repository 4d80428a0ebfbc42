"""TensorDicts in directories of memory-mapped arrays: storage of the host, for data that need not fit into memory."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl import tree
from frl.tensordict.core import Node
from frl.tensordict.files import describe, own, restore, write

_INDEX = "tensordict.json"


class MemoryMapped(Node):
    """Memory-mapping of a `TensorDict`."""

    __slots__ = ()

    def memmap(self, directory: str | os.PathLike[str]) -> Self:
        """Writes each leaf into a file of its own and returns the TensorDict whose leaves are those files, mapped.

        What is written into its leaves in place reaches the files: this is storage of the host, outside the pure world.

        Raises: ValueError if the directory holds a TensorDict already.

        >>> import tempfile
        >>> from frl import TensorDict
        >>> directory = tempfile.mkdtemp()
        >>> TensorDict({"pixels": torch.ones(3, 2)}, [3]).memmap(directory)["pixels"][0]
        tensor([1., 1.])
        >>> TensorDict.load_memmap(directory).batch_size
        torch.Size([3])
        """
        root = _make(directory)
        for i, leaf in enumerate(tree.leaves(self)):
            (root / f"{i}.bin").write_bytes(own(leaf).reshape(-1).view(torch.uint8).numpy().tobytes())
        _describe(root, self)
        return self.load_memmap(root)

    def memmap_zeros(self, directory: str | os.PathLike[str], count: int) -> Self:
        """Makes files for `count` TensorDicts like this one and returns them, mapped and zero: batch [count, *B].

        The files take room on the disk as they are written.

        Raises: ValueError if the directory holds a TensorDict already.

        >>> import tempfile
        >>> from frl import TensorDict
        >>> TensorDict({"pixels": torch.ones(2)}).memmap_zeros(tempfile.mkdtemp(), 3)["pixels"].shape
        torch.Size([3, 2])
        """
        root = _make(directory)
        many = tree.map(lambda x: torch.empty((count, *x.shape), dtype=x.dtype, device="meta"), self)
        for i, leaf in enumerate(tree.leaves(many)):
            with (root / f"{i}.bin").open("wb") as file:
                file.truncate(leaf.numel() * leaf.dtype.itemsize)
        _describe(root, many)
        return self.load_memmap(root)

    @classmethod
    def load_memmap(cls, directory: str | os.PathLike[str]) -> Self:
        """The TensorDict that `memmap` wrote, its leaves mapped, not read.

        Raises: FileNotFoundError; ValueError that names the directory if its files do not fit.
        """
        root = Path(directory)
        if not (root / _INDEX).is_file():
            raise FileNotFoundError(f"load_memmap: there is no {_INDEX} in {str(root)!r}.")
        try:
            index = json.loads((root / _INDEX).read_text())
            leaves = {name: _mapped(root, array) for name, array in index["arrays"].items()}
        except (ValueError, LookupError, TypeError, AttributeError, RuntimeError, OSError) as error:
            raise ValueError(f"load_memmap: {str(root)!r} is damaged: {error}.") from None
        return restore(cls, str(root), json.dumps(index.get("tensordict")), leaves.__getitem__, None)


def _make(directory: str | os.PathLike[str]) -> Path:
    """A directory for a TensorDict."""
    root = Path(directory)
    if (root / _INDEX).exists():
        raise ValueError(
            f"memmap: {str(root)!r} holds a TensorDict already; load_memmap it, or take another directory."
        )
    root.mkdir(parents=True, exist_ok=True)
    return root


def _describe(root: Path, td: Node) -> None:
    """Writes what the files `0.bin`, `1.bin`, … of the directory hold; until then it holds no TensorDict."""
    arrays = {
        name: {"file": f"{i}.bin", "dtype": str(leaf.dtype).removeprefix("torch."), "shape": list(leaf.shape)}
        for i, (name, leaf) in enumerate(tree.named_leaves(td))
    }
    write(root / _INDEX, json.dumps({"tensordict": _on_host(describe(td)), "arrays": arrays}).encode())


def _on_host(node: Mapping[str, Any]) -> dict[str, Any]:
    """The description with every device, where there is one, that of the files."""
    entries = {key: entry if isinstance(entry, str) else _on_host(entry) for key, entry in node["entries"].items()}
    return {**node, "device": node["device"] and "cpu", "entries": entries}


def _mapped(root: Path, array: Mapping[str, Any]) -> Tensor:
    dtype, shape = getattr(torch, array["dtype"]), torch.Size(array["shape"])
    path = root / array["file"]
    size = shape.numel() * dtype.itemsize
    if path.stat().st_size != size:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes, but {size} are expected")
    if size == 0:
        return torch.empty(shape, dtype=dtype)
    return torch.from_file(str(path), shared=True, size=shape.numel(), dtype=dtype).reshape(shape)
