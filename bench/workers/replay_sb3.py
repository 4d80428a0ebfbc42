"""Stable-Baselines3's replay buffer of transitions."""

import gymnasium
import numpy as np
import stable_baselines3
import torch
from replay_calls import BATCH, ROWS, report
from stable_baselines3.common.buffers import ReplayBuffer


def main() -> None:
    torch.set_num_threads(1)
    box = lambda n: gymnasium.spaces.Box(-1, 1, (n,), np.float32)  # noqa: E731
    buffer = ReplayBuffer(ROWS, box(17), box(6), device="cpu", handle_timeout_termination=True)
    buffer.observations[:], buffer.actions[:] = np.random.randn(ROWS, 1, 17), np.random.randn(ROWS, 1, 6)
    buffer.full = True
    report(
        {"sample, transitions": lambda: buffer.sample(BATCH)},
        {"sb3": stable_baselines3.__version__, "torch": torch.__version__},
    )


main()
