"""Replay buffers: pure ones for compiled loops, and those of the host, which hold a storage and a random key.

>>> import torch
>>> from frl import TensorDict, random
>>> buffer = prioritized(uniform(capacity=100, batch_size=4))
>>> state = buffer.init(TensorDict({"reward": torch.zeros(1)}))
>>> state = buffer.add(state, TensorDict({"reward": torch.ones(2, 5, 1)}, [2, 5]))
>>> td = buffer.sample(state, random.key(0))
>>> state = buffer.update_priority(state, td["index"], torch.ones(4))

>>> rb = TensorDictReplayBuffer(LazyTensorStorage(100), batch_size=4)
>>> rows = rb.extend(TensorDict({"reward": torch.ones(10, 1)}, [10]))
>>> rb.sample().batch_size
torch.Size([4])
"""

from frl.replay.base import Buffer as Buffer
from frl.replay.buffers import PrioritizedReplayBuffer as PrioritizedReplayBuffer
from frl.replay.buffers import ReplayBuffer as ReplayBuffer
from frl.replay.memory_map import LazyMemmapStorage as LazyMemmapStorage
from frl.replay.memory_map import MemmapStorage as MemmapStorage
from frl.replay.n_step import n_step as n_step
from frl.replay.prioritized import prioritized as prioritized
from frl.replay.return_conditioned import return_conditioned as return_conditioned
from frl.replay.samplers import PrioritizedSampler as PrioritizedSampler
from frl.replay.samplers import RandomSampler as RandomSampler
from frl.replay.samplers import Sampler as Sampler
from frl.replay.samplers import SamplerWithoutReplacement as SamplerWithoutReplacement
from frl.replay.sequence import sequence as sequence
from frl.replay.slices import SliceSampler as SliceSampler
from frl.replay.storages import LazyTensorStorage as LazyTensorStorage
from frl.replay.storages import ListStorage as ListStorage
from frl.replay.storages import Storage as Storage
from frl.replay.storages import TensorStorage as TensorStorage
from frl.replay.tensordict_buffers import TensorDictPrioritizedReplayBuffer as TensorDictPrioritizedReplayBuffer
from frl.replay.tensordict_buffers import TensorDictReplayBuffer as TensorDictReplayBuffer
from frl.replay.uniform import uniform as uniform
