"""frl's replay buffers of the host, and the sum tree in NumPy that its prioritised sampler is compared with."""

import sys
from pathlib import Path

import numpy as np
import torch
from replay_calls import BATCH, EXTEND, ROWS, report

from frl import TensorDict
from frl.replay import (
    LazyMemmapStorage,
    LazyTensorStorage,
    PrioritizedSampler,
    TensorDictPrioritizedReplayBuffer,
    TensorDictReplayBuffer,
)

sys.path.insert(0, str(Path(__file__).parent.parent))
from numpy_sum_tree import NumpySumTree


def filled(storage, td):
    rb = TensorDictReplayBuffer(storage, batch_size=BATCH)
    for _ in range(ROWS // EXTEND):
        rb.extend(td)
    return rb


def prioritised(td):
    """Draws, and writes back priorities: of ours, and of the reference."""
    storage, sampler = LazyTensorStorage(ROWS), PrioritizedSampler(ROWS, 0.6, 0.4)
    for _ in range(ROWS // EXTEND):
        sampler.added(storage, storage.extend(td))
    reference = NumpySumTree(ROWS, 0.6, 0.4)
    priority = torch.rand(ROWS)
    sampler.update_priority(torch.arange(ROWS), priority)
    reference.update(np.arange(ROWS), priority.numpy())
    new, new_array = priority[:BATCH], priority[:BATCH].numpy()

    def ours():
        sampler.update_priority(sampler.draw(storage, BATCH)[0], new)

    def theirs():
        reference.update(reference.sample(BATCH)[0], new_array)

    return ours, theirs


def labelled(td):
    """A sample by priority, and new priorities for it, as a training does."""
    rb = TensorDictPrioritizedReplayBuffer(alpha=0.6, beta=0.4, storage=LazyTensorStorage(ROWS), batch_size=BATCH)
    for _ in range(ROWS // EXTEND):
        rb.extend(td)
    new = torch.rand(BATCH)
    return lambda: rb.update_tensordict_priority(rb.sample().set("td_error", new))


def main() -> None:
    torch.set_num_threads(1)
    td = TensorDict({"observation": torch.randn(EXTEND, 17), "action": torch.randn(EXTEND, 6)}, [EXTEND])
    flags = {"terminated": torch.zeros(EXTEND, 1, dtype=torch.bool)}
    after = {"observation": torch.randn(EXTEND, 17), "reward": torch.randn(EXTEND, 1), **flags}
    memory, mapped = filled(LazyTensorStorage(ROWS), td), filled(LazyMemmapStorage(ROWS), td)
    transitions = filled(LazyTensorStorage(ROWS), td.set("next", TensorDict(after, [EXTEND])))
    ours, theirs = prioritised(td)
    calls = {
        "sample, memory": memory.sample,
        "extend, memory": lambda: memory.extend(td),
        "sample, mapped": mapped.sample,
        "extend, mapped": lambda: mapped.extend(td),
        "sample, transitions": transitions.sample,
        "sample and update priorities": labelled(td),
        "draw and update priorities": ours,
        "draw and update priorities, NumPy": theirs,
    }
    report(calls, {"torch": torch.__version__})


main()
