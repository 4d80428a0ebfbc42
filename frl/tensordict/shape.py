"""Reshaping of the batch axes: each operation is one function applied to every leaf, whose event axes stay in place."""

from collections.abc import Sequence
from typing import Any

import torch
from typing_extensions import Self

from frl.tensordict.core import Node
from frl.tensordict.indexing import axis_of


class ShapeOps(Node):
    """Reshaping, splitting and repeating the batch of a `TensorDict`."""

    __slots__ = ()

    def reshape(self, *shape: int | Sequence[int]) -> Self:
        """The same elements with batch size `shape`, in which one size may be -1.

        >>> from frl import TensorDict
        >>> TensorDict({"a": torch.zeros(2, 5, 3)}, [2, 5]).reshape(-1)["a"].shape
        torch.Size([10, 3])
        """
        batch, n = self._resolve(shape), self.batch_dims
        return self._map(lambda x: x.reshape(batch + x.shape[n:]))

    def view(self, *shape: int | Sequence[int]) -> Self:
        """`reshape` without a copy. Raises: RuntimeError if an entry would have to be copied."""
        batch, n = self._resolve(shape), self.batch_dims
        return self._map(lambda x: x.view(batch + x.shape[n:]))

    def _resolve(self, shape: tuple[Any, ...]) -> torch.Size:
        """The sizes with -1 replaced. Raises: ValueError if they do not hold the batch."""
        sizes, count = list(_sizes(shape)), self.numel()
        known = torch.Size([size for size in sizes if size != -1]).numel()
        if -1 in sizes and known > 0:
            sizes[sizes.index(-1)] = count // known
        if -1 in sizes or torch.Size(sizes).numel() != count:
            raise ValueError(
                f"TensorDict: a batch of size {list(self.batch_size)} has no shape {list(_sizes(shape))}; give sizes "
                f"whose product is {count}, one of them -1 if you like."
            )
        return torch.Size(sizes)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Self:
        """The batch axes from `start_dim` to `end_dim`, both included, as one."""
        n = self.batch_dims
        if n == 0:
            return self.unsqueeze(0)
        first, last = axis_of(start_dim, n), axis_of(end_dim, n)
        return self._map(lambda x: x.flatten(first, last))

    def unflatten(self, dim: int, sizes: Sequence[int]) -> Self:
        """The batch axis `dim` as several, of these sizes; the inverse of `flatten`."""
        axis = axis_of(dim, self.batch_dims)
        return self._map(lambda x: x.unflatten(axis, tuple(sizes)))

    def unsqueeze(self, dim: int) -> Self:
        """A batch axis of size 1 at `dim`."""
        axis = axis_of(dim, self.batch_dims + 1)
        return self._map(lambda x: x.unsqueeze(axis))

    def squeeze(self, dim: int | None = None) -> Self:
        """Without the batch axis `dim` if its size is 1; by default without any batch axis of size 1."""
        batch = self.batch_size
        axes = range(len(batch)) if dim is None else [axis_of(dim, len(batch))]
        ones = tuple([axis for axis in axes if batch[axis] == 1])
        return self._map(lambda x: x.squeeze(ones))

    def expand(self, *shape: int | Sequence[int]) -> Self:
        """The batch repeated, without a copy, to the size `shape`; -1 keeps a size.

        >>> from frl import TensorDict
        >>> TensorDict({"a": torch.zeros(2, 1)}, [2]).expand(3, 2)["a"].shape
        torch.Size([3, 2, 1])
        """
        sizes, n = _sizes(shape), self.batch_dims
        try:
            torch.zeros(()).expand(self.batch_size).expand(sizes)
        except RuntimeError:
            raise ValueError(
                f"TensorDict: a batch of size {list(self.batch_size)} cannot be expanded to {list(sizes)}; only axes "
                "of size 1 and new leading ones grow, so write td.unsqueeze(dim) where one is to be added."
            ) from None
        return self._map(lambda x: x.expand(sizes + tuple(x.shape[n:])))

    def permute(self, *dims: int | Sequence[int]) -> Self:
        """The batch axes in another order."""
        n = self.batch_dims
        order = tuple([axis_of(dim, n) for dim in _sizes(dims)])
        if sorted(order) != list(range(n)):
            raise ValueError(f"permute: {list(_sizes(dims))} does not name each of the {n} batch axes once.")
        return self._map(lambda x: x.permute(order + tuple(range(n, x.ndim))))

    def transpose(self, dim0: int, dim1: int) -> Self:
        """The batch axes `dim0` and `dim1` exchanged."""
        n = self.batch_dims
        first, second = axis_of(dim0, n), axis_of(dim1, n)
        return self._map(lambda x: x.transpose(first, second))

    def movedim(self, source: int, destination: int) -> Self:
        """The batch axis `source` at `destination`, the others in their order."""
        n = self.batch_dims
        first, second = axis_of(source, n), axis_of(destination, n)
        return self._map(lambda x: x.movedim(first, second))

    def repeat(self, *repeats: int | Sequence[int]) -> Self:
        """The batch copied `repeats` times along each of its axes; further repeats make new axes in front."""
        times, n = _sizes(repeats), self.batch_dims
        if len(times) < n:
            raise ValueError(f"repeat: {list(times)} are fewer numbers than the {n} batch axes; give one for each.")
        return self._map(lambda x: x.repeat(times + (1,) * (x.ndim - n)))

    def repeat_interleave(self, repeats: int, dim: int = 0) -> Self:
        """Each element along the batch axis `dim` copied `repeats` times, the copies side by side."""
        axis = axis_of(dim, self.batch_dims)
        return self._map(lambda x: x.repeat_interleave(repeats, axis))

    def flip(self, *dims: int | Sequence[int]) -> Self:
        """The order of the elements along the batch axes `dims` reversed."""
        n = self.batch_dims
        axes = tuple([axis_of(dim, n) for dim in _sizes(dims)])
        return self._map(lambda x: x.flip(axes))

    def roll(self, shifts: int, dim: int = 0) -> Self:
        """The elements moved `shifts` places along the batch axis `dim`; the last ones come first."""
        axis = axis_of(dim, self.batch_dims)
        return self._map(lambda x: x.roll(shifts, axis))

    def unbind(self, dim: int = 0) -> tuple[Self, ...]:
        """The elements along the batch axis `dim`.

        >>> from frl import TensorDict
        >>> [int(td["a"]) for td in TensorDict({"a": torch.tensor([1, 2])}, [2]).unbind()]
        [1, 2]
        """
        axis = axis_of(dim, self.batch_dims)
        return self._parts(lambda x: x.unbind(axis))

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Self, ...]:
        """Parts of `split_size` elements each, or of these sizes, along the batch axis `dim`."""
        axis = axis_of(dim, self.batch_dims)
        sizes = split_size if isinstance(split_size, int) else list(split_size)
        return self._parts(lambda x: x.split(sizes, axis))

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Self, ...]:
        """At most `chunks` parts of equal size, but for the last, along the batch axis `dim`."""
        axis = axis_of(dim, self.batch_dims)
        return self._parts(lambda x: x.chunk(chunks, axis))

    def _parts(self, cut: Any) -> tuple[Self, ...]:
        """The nodes of the parts into which `cut` divides every leaf."""
        try:
            batches = [part.shape for part in cut(torch.zeros(()).expand(self.batch_size))]
        except RuntimeError as error:
            raise ValueError(
                f"TensorDict: a batch of size {list(self.batch_size)} cannot be divided so ({error}); give positive "
                "sizes that add up to the axis."
            ) from None
        columns = [
            value._parts(cut)
            if isinstance(value, ShapeOps) and not value.is_empty()
            else [value] * len(batches)
            if isinstance(value, Node)
            else cut(value)
            for value in self._data.values()
        ]
        nodes: list[Self] = []
        for i, batch in enumerate(batches):
            data = {key: column[i] for key, column in zip(self._data, columns, strict=True)}
            nodes.append(self._make(data, self._events, None if self._batch is None else batch, self._device))
        return tuple(nodes)


def _sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else tuple(shape)
