"""Every pure buffer, small enough to check by hand, and steps to put into it."""

import torch

from frl import TensorDict, random, replay

NUM_ENVS, STEPS = 2, 3

BUFFERS = {
    "uniform": replay.uniform(12, 5),
    "n_step": replay.n_step(13, 5, n=3, gamma=0.5, num_envs=NUM_ENVS),
    "sequence": replay.sequence(12, 5, length=4, num_envs=NUM_ENVS),
    "prioritized uniform": replay.prioritized(replay.uniform(12, 5)),
    "prioritized n_step": replay.prioritized(replay.n_step(13, 5, n=3, gamma=0.5, num_envs=NUM_ENVS)),
    "prioritized sequence": replay.prioritized(replay.sequence(12, 5, length=4, num_envs=NUM_ENVS)),
}


def steps(first: int, num_envs: int = NUM_ENVS, num_steps: int = STEPS) -> TensorDict:
    """Steps number `first`, `first` + 1, … of each environment [num_envs, num_steps]: step t of e observes 100·e + t.

    The flags are drawn, one step in four ends an episode; the rewards are drawn too.
    """
    time = torch.arange(first, first + num_steps).expand(num_envs, num_steps)
    observation = 100 * torch.arange(num_envs).unsqueeze(-1) + time
    u = random.uniform((num_envs, num_steps, 3), random.key(first), dtype=torch.float64)
    flags = {"terminated": u[..., :1] < 0.2, "truncated": u[..., 1:2] < 0.1}
    after = {"observation": observation + 1, "reward": u[..., 2:].float(), **flags}
    return TensorDict({"observation": observation, "next": after}, [num_envs, num_steps])


def filled(buffer: replay.Buffer, num_adds: int) -> TensorDict:
    """The state after `num_adds` batches of `steps`, with some priorities given."""
    state = buffer.init(steps(0)[0, 0])
    for i in range(num_adds):
        state = buffer.add(state, steps(STEPS * i))
    return buffer.update_priority(state, torch.tensor([0, 1, 0]), torch.tensor([2.0, 0.5, 1.0]))
