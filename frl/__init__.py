"""Functional reinforcement learning for PyTorch."""

from frl.tensordict import TensorDict as TensorDict
