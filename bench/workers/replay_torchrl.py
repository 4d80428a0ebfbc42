"""TorchRL's replay buffers of TensorDicts, in memory and memory-mapped."""

import tempfile

import torch
import torchrl
from replay_calls import BATCH, EXTEND, ROWS, report
from tensordict import TensorDict
from torchrl.data import LazyMemmapStorage, LazyTensorStorage, TensorDictReplayBuffer


def filled(storage, td):
    rb = TensorDictReplayBuffer(storage=storage, batch_size=BATCH)
    for _ in range(ROWS // EXTEND):
        rb.extend(td)
    return rb


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
    report(calls, torchrl.__version__)


main()
