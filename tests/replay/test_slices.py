"""Slices: exhaustively over the places where episodes end and the ring begins anew."""

from itertools import product

import pytest
import torch
from scipy import stats

from frl import TensorDict
from frl.replay import LazyTensorStorage, SliceSampler


def steps(numbers: list[int], ends: str) -> TensorDict:
    flag = lambda kind: torch.tensor([end == kind for end in ends]).unsqueeze(-1)  # noqa: E731
    after = {"terminated": flag("T"), "truncated": flag("C")}
    return TensorDict({"n": torch.tensor(numbers), "next": after}, [len(numbers)])


def slices(numbers: list[int], ends: dict[int, str], length: int) -> set[tuple[int, ...]]:
    """All runs of `length` successive numbers in which only the last may be an end."""
    runs = [tuple(numbers[i : i + length]) for i in range(len(numbers) - length + 1)]
    return {run for run in runs if all(ends[n] == "-" for n in run[:-1])}


@pytest.mark.parametrize("total", [4, 6, 9])
@pytest.mark.parametrize("length", [1, 2, 3])
def test_no_slice_crosses_an_end_or_the_write_head(total, length):
    for ends in product("-TC", repeat=4):
        named = {n: ends[n % 4] for n in range(total)}
        storage = LazyTensorStorage(6)
        for n in range(total):
            storage.extend(steps([n], named[n]))
        expected = slices(list(range(max(0, total - 6), total)), named, length)
        sampler = SliceSampler(length)
        if not expected:
            with pytest.raises(ValueError, match=f"has {length} steps"):
                sampler.draw(storage, length)
            continue
        index, _ = sampler.draw(storage, 60 * length)
        assert index.shape == (60, length)
        assert {tuple(run) for run in storage.get(index)["n"].tolist()} <= expected


def test_every_slice_is_drawn_equally_often():
    storage = LazyTensorStorage(20)
    storage.extend(steps(list(range(25)), "----T---C-----T-T--------"))
    index, _ = SliceSampler(3).draw(storage, 90_000)
    first, counts = storage.get(index)["n"][:, 0].unique(return_counts=True)
    assert first.tolist() == [5, 6, 9, 10, 11, 12, *range(17, 23)]
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3


def test_a_change_of_the_trajectory_number_is_an_end():
    storage = LazyTensorStorage(8)
    td = TensorDict({"n": torch.arange(6), "collector": {"traj_ids": torch.tensor([0, 0, 0, 1, 1, 2])}}, [6])
    storage.extend(td)
    index, _ = SliceSampler(2, traj_key=("collector", "traj_ids")).draw(storage, 100)
    assert index.unique(dim=0).tolist() == [[0, 1], [1, 2], [3, 4]]


def test_a_write_is_seen_by_the_next_draw():
    storage, sampler = LazyTensorStorage(8), SliceSampler(2)
    storage.extend(steps([0, 1], "--"))
    assert sampler.draw(storage, 20)[0].unique(dim=0).tolist() == [[0, 1]]
    storage.extend(steps([2], "-"))
    assert sampler.draw(storage, 60)[0].unique(dim=0).tolist() == [[0, 1], [1, 2]]
