"""The rollouts that documents 002 and 004 both print, letter by letter, and text without its layout."""

import re


def without_layout(value: object) -> str:
    """The text of `value` without line breaks and indents, which other versions and editors set elsewhere."""
    return re.sub(r"(?<=[({\[]) | (?=[)}\]])", "", re.sub(r"\s+", " ", str(value)))


def pendulum_rollout(device: str) -> str:
    """Ten steps of a deterministic policy on the pendulum, as 002 (device None) and 004 (device cpu) print them."""
    return f"""TensorDict(
    fields={{
        action: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.float32, is_shared=False),
        done: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False),
        next: TensorDict(
            fields={{
                done: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False),
                observation: Tensor(shape=torch.Size([10, 3]), device=cpu, dtype=torch.float32, is_shared=False),
                reward: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.float32, is_shared=False),
                terminated: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False),
                truncated: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False)}},
            batch_size=torch.Size([10]),
            device={device},
            is_shared=False),
        observation: Tensor(shape=torch.Size([10, 3]), device=cpu, dtype=torch.float32, is_shared=False),
        terminated: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False),
        truncated: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False)}},
    batch_size=torch.Size([10]),
    device={device},
    is_shared=False)"""


def stochastic_rollout(device: str) -> str:
    """Ten steps of a normal policy on the pendulum, as 002 (device None) and 004 (device cpu) print them."""
    lines = pendulum_rollout(device).splitlines()
    added = [
        f"        {name}: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.float32, is_shared=False),"
        for name in ("loc", "sample_log_prob", "scale")
    ]
    return "\n".join([*lines[:4], added[0], *lines[4:15], *added[1:], *lines[15:]])


def cartpole_rollout(device: str) -> str:
    """Three steps of a greedy policy on CartPole, as 002 (device None) and 004 (device cpu) print them."""
    return f"""TensorDict(
    fields={{
        action: Tensor(shape=torch.Size([3, 2]), device=cpu, dtype=torch.int64, is_shared=False),
        action_value: Tensor(shape=torch.Size([3, 2]), device=cpu, dtype=torch.float32, is_shared=False),
        chosen_action_value: Tensor(shape=torch.Size([3, 1]), device=cpu, dtype=torch.float32, is_shared=False),
        done: Tensor(shape=torch.Size([3, 1]), device=cpu, dtype=torch.bool, is_shared=False),
        next: TensorDict(
            fields={{
                done: Tensor(shape=torch.Size([3, 1]), device=cpu, dtype=torch.bool, is_shared=False),
                observation: Tensor(shape=torch.Size([3, 4]), device=cpu, dtype=torch.float32, is_shared=False),
                reward: Tensor(shape=torch.Size([3, 1]), device=cpu, dtype=torch.float32, is_shared=False),
                terminated: Tensor(shape=torch.Size([3, 1]), device=cpu, dtype=torch.bool, is_shared=False),
                truncated: Tensor(shape=torch.Size([3, 1]), device=cpu, dtype=torch.bool, is_shared=False)}},
            batch_size=torch.Size([3]),
            device={device},
            is_shared=False),
        observation: Tensor(shape=torch.Size([3, 4]), device=cpu, dtype=torch.float32, is_shared=False),
        terminated: Tensor(shape=torch.Size([3, 1]), device=cpu, dtype=torch.bool, is_shared=False),
        truncated: Tensor(shape=torch.Size([3, 1]), device=cpu, dtype=torch.bool, is_shared=False)}},
    batch_size=torch.Size([3]),
    device={device},
    is_shared=False)"""
