"""Functional reinforcement learning for PyTorch: pure functions over immutable data, compiled whole.

Every computation is a function `(parameters or state, input, key) -> output`, and everything that changes is a leaf of
one `TensorDict`.
"""

from frl import algorithms as algorithms
from frl import check as check
from frl import collectors as collectors
from frl import control as control
from frl import distributions as distributions
from frl import envs as envs
from frl import functional as functional
from frl import nn as nn
from frl import objectives as objectives
from frl import optim as optim
from frl import random as random
from frl import replay as replay
from frl import specs as specs
from frl import training as training
from frl import transforms as transforms
from frl import tree as tree
from frl.compilation import compile as compile
from frl.tensordict import TensorDict as TensorDict
