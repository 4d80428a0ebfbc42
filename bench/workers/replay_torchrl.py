"""TorchRL's replay buffers of TensorDicts, in memory, memory-mapped and, where its binaries load, prioritised."""

import tempfile

import torch
import torchrl
from replay_calls import BATCH, EXTEND, ROWS, report
from tensordict import TensorDict
from torchrl.data import (
    LazyMemmapStorage,
    LazyTensorStorage,
    TensorDictPrioritizedReplayBuffer,
    TensorDictReplayBuffer,
)


def filled(storage, td):
    rb = TensorDictReplayBuffer(storage=storage, batch_size=BATCH)
    for _ in range(ROWS // EXTEND):
        rb.extend(td)
    return rb


def prioritised(td):
    """A sample, and new priorities for it."""
    rb = TensorDictPrioritizedReplayBuffer(alpha=0.6, beta=0.4, storage=LazyTensorStorage(ROWS), batch_size=BATCH)
    for _ in range(ROWS // EXTEND):
        rb.extend(td)
    new = torch.rand(BATCH)

    def call():
        sample = rb.sample()
        rb.update_tensordict_priority(sample.set("td_error", new))

    return call


def binaries_load() -> bool:
    try:
        import torchrl._torchrl  # noqa: F401
    except ImportError:
        return False
    return True


def main() -> None:
    torch.set_num_threads(1)
    td = TensorDict({"observation": torch.randn(EXTEND, 17), "action": torch.randn(EXTEND, 6)}, [EXTEND])
    memory = filled(LazyTensorStorage(ROWS), td)
    mapped = filled(LazyMemmapStorage(ROWS, scratch_dir=tempfile.mkdtemp()), td)
    calls = {
        "sample, memory": memory.sample,
        "extend, memory": lambda: memory.extend(td),
        "sample, mapped": mapped.sample,
        "extend, mapped": lambda: mapped.extend(td),
    }
    if binaries_load():
        calls["sample and update priorities"] = prioritised(td)
    report(calls, {"torchrl": torchrl.__version__, "torch": torch.__version__})


main()
