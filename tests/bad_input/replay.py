"""Bad calls of replay buffers, pure ones and those of the host."""

import tempfile
from pathlib import Path
from typing import Any

import torch

from frl import TensorDict, replay
from tests.bad_input.case import KEY, bad, ones, zeros

FLAG = torch.zeros(1, dtype=torch.bool)
ROW = TensorDict({"a": zeros(3), "next": {"reward": zeros(1), "terminated": FLAG, "truncated": FLAG}})
STEPS = ROW.expand(2, 5)
UNIFORM, PRIORITIZED = replay.uniform(8, 4), replay.prioritized(replay.uniform(8, 4))
AT_LEAST_1 = "must be at least 1"


def added(batch: Any, buffer: replay.Buffer = UNIFORM) -> TensorDict:
    return buffer.add(buffer.init(ROW), batch)


def given(index: Any, priority: torch.Tensor) -> TensorDict:
    return PRIORITIZED.update_priority(added(STEPS, PRIORITIZED), torch.tensor(index), priority)


def stored(storage: replay.Storage | None = None) -> replay.TensorDictReplayBuffer:
    rb = replay.TensorDictReplayBuffer(storage)
    rb.extend(STEPS.reshape(-1))
    return rb


def prioritised() -> replay.TensorDictPrioritizedReplayBuffer:
    rb = replay.TensorDictPrioritizedReplayBuffer(0.7, 1.1)
    rb.extend(STEPS.reshape(-1))
    return rb


def sliced(**arguments: Any) -> Any:
    rb = replay.TensorDictReplayBuffer(sampler=replay.SliceSampler(**arguments))
    rb.extend(STEPS.reshape(-1))
    return rb.sample(6)


def without_replacement(batch_size: int) -> Any:
    rb = replay.ReplayBuffer(sampler=replay.SamplerWithoutReplacement(drop_last=True))
    rb.extend([1, 2, 3])
    return rb.sample(batch_size)


def elsewhere() -> str:
    directory = tempfile.mkdtemp()
    replay.LazyMemmapStorage(4, directory).extend(STEPS.reshape(-1))
    return directory


def damaged() -> replay.MemmapStorage:
    ring = Path(tempfile.mkdtemp()) / "storage" / "ring.bin"
    ring.parent.mkdir()
    ring.write_bytes(b"?")
    return replay.MemmapStorage(ring.parent.parent)


REPLAY = {
    "a buffer of no row": bad(lambda: replay.uniform(0, 4), ValueError, "capacity", "0", AT_LEAST_1),
    "a sample of no row": bad(lambda: replay.uniform(8, 0), ValueError, "batch_size", "0", AT_LEAST_1),
    "a return over no step": bad(lambda: replay.n_step(8, 4, n=0), ValueError, "n is 0", AT_LEAST_1),
    "a return longer than its ring": bad(
        lambda: replay.n_step(8, 4, n=3, num_envs=4),
        ValueError,
        "n is 3",
        "4 environments has 2 rows",
        "raise capacity",
    ),
    "a replayed discount above one": bad(
        lambda: replay.n_step(8, 4, 2, gamma=2.0), ValueError, "gamma", "2.0", "must be at most 1"
    ),
    "fewer rows than environments": bad(
        lambda: replay.n_step(3, 4, 1, num_envs=4), ValueError, "capacity is 3", "4 environments", "at least a row"
    ),
    "a sequence of no step": bad(lambda: replay.sequence(8, 4, 0), ValueError, "length", "0", AT_LEAST_1),
    "a sequence longer than its ring": bad(
        lambda: replay.sequence(8, 4, 9), ValueError, "length is 9", "has 8 rows", "raise capacity"
    ),
    "priorities over no buffer": bad(
        lambda: replay.prioritized(8),
        TypeError,
        "buffer is a int",
        "uniform(10_000, 256)",  # type: ignore[arg-type]
    ),
    "a negative alpha": bad(
        lambda: replay.prioritized(UNIFORM, alpha=-1.0), ValueError, "alpha", "-1.0", "must be at least 0"
    ),
    "a batch as an example": bad(
        lambda: UNIFORM.init(STEPS), ValueError, "batch size [2, 5]", "one row", "pass example[0, 0]"
    ),
    "a tensor as an example": bad(
        lambda: UNIFORM.init(zeros(3)),
        TypeError,
        "example is a Tensor",
        "one row as a TensorDict",  # type: ignore[arg-type]
    ),
    "an example without a flag": bad(
        lambda: replay.sequence(8, 4, 2).init(ROW.exclude(("next", "truncated"))),
        *(KeyError, "('next', 'truncated')", "what collect(...) returns"),
    ),
    "an example with an index": bad(
        lambda: UNIFORM.init(ROW.set("index", zeros(1))), ValueError, "'index'", "a sample adds", "rename or exclude it"
    ),
    "an added row without an axis": bad(
        lambda: added(ROW), ValueError, "batch size []", "[*B, T]", "unsqueeze one row"
    ),
    "an added dict": bad(lambda: added({"a": zeros(2, 3)}), TypeError, "a dict", "add a TensorDict"),
    "an added batch of other keys": bad(
        lambda: added(STEPS.exclude("a")), KeyError, "lacks ['a']", "select the entries of the example"
    ),
    "an added batch of another dtype": bad(
        lambda: added(STEPS.set("a", ones(2, 5, 3).double())),
        *(ValueError, "'a'", "torch.float64 [3]", "torch.float32 [3]", "a row of this batch as the example"),
    ),
    "steps of other environments": bad(
        lambda: added(STEPS, replay.n_step(8, 4, 2)), ValueError, "2 environments", "made for 1", "num_envs=2"
    ),
    "a sample of an empty buffer": bad(
        lambda: UNIFORM.sample(UNIFORM.init(ROW), KEY), ValueError, "is empty", "add a batch first"
    ),
    "a prioritised sample of an empty buffer": bad(
        lambda: PRIORITIZED.sample(PRIORITIZED.init(ROW), KEY), ValueError, "is empty", "add a batch first"
    ),
    "a negative priority": bad(
        lambda: given([0, 1], torch.tensor([0.5, -1.0])), ValueError, "-1.0", "at least 0", "pass td_error.abs()"
    ),
    "a priority that is NaN": bad(
        lambda: given([0, 1], torch.tensor([0.5, torch.nan])), ValueError, "nan", "must be finite", "td_error.abs()"
    ),
    "a priority of a row beyond the last": bad(
        lambda: given([0, 8], ones(2)), ValueError, "[0, 8]", "rows are 0 to 7", 'the "index" of a sample'
    ),
    "two priorities for three rows": bad(
        lambda: given([0, 1, 2], ones(2)), ValueError, "[2]", "[3]", "one priority for each index"
    ),
    "a priority for no row": bad(
        lambda: given([], zeros(0)), ValueError, "index has shape [0]", "nothing is updated", "at least one"
    ),
    "a list of no item": bad(lambda: replay.ListStorage(0), ValueError, "max_size", "0", AT_LEAST_1),
    "an object in a list that is saved": bad(
        lambda: _with(replay.ListStorage(3), [object()]).state(),
        TypeError,
        "object",
        "cannot be saved",
        "keep TensorDicts",
    ),
    "tensors of no row": bad(lambda: replay.LazyTensorStorage(0), ValueError, "max_size", "0", AT_LEAST_1),
    "objects for tensors": bad(
        lambda: replay.LazyTensorStorage(3).extend([object()]), TypeError, "a list", "tree of tensors", "ListStorage"
    ),
    "rows of two lengths": bad(
        lambda: replay.LazyTensorStorage(3).extend((zeros(2), zeros(3))), ValueError, "[[2], [3]]", "[M, ...] for one M"
    ),
    "a stored item of another shape": bad(
        lambda: stored().extend(STEPS.reshape(-1).set("a", zeros(10, 4))),
        *(ValueError, "'a'", "torch.float32 [4]", "torch.float32 [3]", "convert it"),
    ),
    "a stored item of other keys": bad(
        lambda: stored().extend(STEPS.reshape(-1).exclude("a")),
        KeyError,
        "'next.reward'",
        "holds ['a',",
        "select those",
    ),
    "a number for rows": bad(lambda: replay.TensorStorage(3), TypeError, "a int", "tree of tensors"),
    "rows without an axis": bad(lambda: replay.TensorStorage(ROW), ValueError, "[3]", "[M, ...] for one M"),
    "mapped files of no row": bad(lambda: replay.LazyMemmapStorage(0), ValueError, "max_size", "0", AT_LEAST_1),
    "a dict for mapped files": bad(
        lambda: replay.LazyMemmapStorage(3).extend({"a": zeros(2)}), TypeError, "a dict", "make a TensorDict"
    ),
    "mapped files of another capacity": bad(
        lambda: replay.LazyMemmapStorage(5, elsewhere()),
        ValueError,
        "4 rows",
        "max_size is 5",
        "open it with max_size=4",
    ),
    "no mapped files": bad(
        lambda: replay.MemmapStorage(tempfile.mkdtemp()),
        FileNotFoundError,
        "no storage in",
        "LazyMemmapStorage(max_size",
    ),
    "whole batches out of too few rows": bad(
        lambda: without_replacement(4), ValueError, "batch_size is 4", "3 rows", "take a smaller batch"
    ),
    "a slice of no row": bad(lambda: replay.SliceSampler(0), ValueError, "slice_len", "0", AT_LEAST_1),
    "rows that are no whole slices": bad(
        lambda: sliced(slice_len=4), ValueError, "batch_size is 6", "slice_len=4", "counts rows, not slices"
    ),
    "slices longer than any trajectory": bad(
        lambda: _short().sample(6), ValueError, "has 3 steps", "longer trajectories"
    ),
    "slices of an unknown numbering": bad(
        lambda: sliced(slice_len=2, traj_key="traj"), KeyError, "'traj'", "name traj_key="
    ),
    "a sampler of no row": bad(lambda: replay.PrioritizedSampler(0), ValueError, "max_capacity", "0", AT_LEAST_1),
    "a sampler's negative beta": bad(
        lambda: replay.PrioritizedSampler(3, beta=-0.5), ValueError, "beta", "-0.5", "must be at least 0"
    ),
    "a sampler for another storage": bad(
        lambda: replay.ReplayBuffer(replay.ListStorage(5), replay.PrioritizedSampler(4)).add(1),
        *(ValueError, "max_capacity is 4", "5 rows", "make both equal"),
    ),
    "a list for a storage": bad(
        lambda: replay.ReplayBuffer([]),
        TypeError,
        "storage is a list",
        "LazyTensorStorage(",  # type: ignore[arg-type]
    ),
    "a negative number of batches ahead": bad(
        lambda: replay.ReplayBuffer(prefetch=-1), ValueError, "prefetch", "-1", "must be at least 0"
    ),
    "a sample of an empty host buffer": bad(
        lambda: replay.ReplayBuffer().sample(1), ValueError, "it is empty", "extend it first"
    ),
    "a sample of no known size": bad(
        lambda: stored().sample(), ValueError, "batch_size is None", "pass sample(batch_size)"
    ),
    "a row that holds nothing": bad(lambda: stored()[10], IndexError, "row 10", "none of the 10 that hold data"),
    "priorities without a use for them": bad(
        lambda: stored().update_priority(0, 1.0), TypeError, "RandomSampler", "with a PrioritizedSampler"
    ),
    "a buffer's negative alpha": bad(
        lambda: replay.PrioritizedReplayBuffer(-1.0, 1.0), ValueError, "alpha", "-1.0", "must be at least 0"
    ),
    "a host priority below zero": bad(
        lambda: prioritised().update_priority(0, -1.0), ValueError, "-1.0", "at least 0", "td_error.abs()"
    ),
    "a host priority of a row beyond the last": bad(
        lambda: prioritised().update_priority(1000, 1.0), ValueError, "rows are 0 to 999", 'the "index" of a sample'
    ),
    "a prioritised sample without priorities": bad(
        lambda: prioritised().update_tensordict_priority(prioritised().sample(2)),
        *(KeyError, "'td_error'", "set it with td.set("),
    ),
    "an item that is no TensorDict": bad(
        lambda: replay.TensorDictReplayBuffer().add({"a": 1.0}),  # type: ignore[arg-type]
        *(TypeError, "a dict", "use ReplayBuffer"),
    ),
    "one TensorDict for several": bad(
        lambda: replay.TensorDictReplayBuffer().extend(ROW), ValueError, "no batch axis", "by add(td)"
    ),
    "a TensorDict buffer's negative eps": bad(
        lambda: replay.TensorDictPrioritizedReplayBuffer(0.7, 1.1, eps=0.0), ValueError, "eps", "0.0", "must be above 0"
    ),
    "a saved buffer of another capacity": bad(
        lambda: stored(replay.LazyTensorStorage(20)).load_state(stored(replay.LazyTensorStorage(30)).state()),
        *(ValueError, "30 rows", "20", "max_size=30"),
    ),
    "a buffer's negative beta": bad(
        lambda: replay.PrioritizedReplayBuffer(1.0, -1.0), ValueError, "beta is -1.0", "must be at least 0"
    ),
    "damaged mapped files": bad(damaged, ValueError, "ring.bin", "is damaged", "it must have 96 bytes"),
    "a sampler with half a seed": bad(
        lambda: replay.RandomSampler().set_seed(0.5), TypeError, "seed", "an int or an int64 tensor", "0.5"
    ),
    "a sampler without replacement or seed": bad(
        lambda: replay.SamplerWithoutReplacement().set_seed(None), TypeError, "seed", "an int", "got None"
    ),
}


def _with(storage: replay.Storage, items: Any) -> replay.Storage:
    storage.extend(items)
    return storage


def _short() -> replay.TensorDictReplayBuffer:
    rb = replay.TensorDictReplayBuffer(sampler=replay.SliceSampler(3))
    rb.extend(STEPS.reshape(-1)[:2])
    return rb
