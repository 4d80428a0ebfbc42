"""Collection in this process."""

from collections.abc import Callable

import torch
from torch import Tensor

from frl.collectors.base import DataCollector
from frl.collectors.gather import Gatherer, Group, Plan, Policy
from frl.envs import Env
from frl.envs.creator import another
from frl.tensordict import TensorDict


class Collector(DataCollector):
    """Batches [*B, T] of what a policy does in environments of batch size [*B], one after the other.

    A batch holds what each environment showed, what the policy read and wrote, and "next" with the true successor; an
    environment whose episode is done goes on with the next one. To that it adds

        {collector: {traj_ids, version}}    [*B, T], int64

    the number of the episode, and how often `update_weights` had been called when the weights were taken by which the
    policy acted. No two episodes have the same number; those of one environment differ by the number of environments.
    The environment's own state, nobody's to learn from, stays behind.

    The policy is called as in `env.rollout`, without gradients. If it takes a `key`, that is one for each environment,
    [*B, 2], from which all of frl's modules and distributions draw row by row: what happens in an environment does not
    depend on how many are beside it. Until `update_weights` is called, a module acts by the weights that it has.

    Args: env: an environment, or a function that makes one. An environment stays the caller's: another one is made
        like it, and stepped. policy: by default, random actions. frames_per_batch: B·T. total_frames: iteration ends
        when so many are delivered; −1, never. max_frames_per_traj: an episode is truncated after so many; −1, never.
        init_random_frames: so many frames, rounded up to whole steps, have random actions in place of the policy's;
        what else it writes stays. device: where the policy acts and where batches are put; by default where the
        environments are, and batches are not pinned to a device. seed: of all that is drawn.
    Raises: TypeError or ValueError that names the argument; a batch raises RuntimeError after `shutdown`, and
        ValueError for a reward that is not finite.

    >>> from frl.envs import GymEnv
    >>> with Collector(lambda: GymEnv("Pendulum-v1"), frames_per_batch=50, total_frames=200) as collector:
    ...     print([data.batch_size for data in collector])
    [torch.Size([50]), torch.Size([50]), torch.Size([50]), torch.Size([50])]
    """

    def __init__(
        self,
        env: Env | Callable[[], Env],
        policy: Policy = None,
        frames_per_batch: int = 200,
        total_frames: int = -1,
        max_frames_per_traj: int = -1,
        init_random_frames: int = 0,
        device: torch.device | str | None = None,
        seed: int = 0,
    ):
        plan = Plan("Collector", frames_per_batch, total_frames, max_frames_per_traj, init_random_frames)
        self._prepare(plan, policy)
        self._device = None if device is None else torch.device(device)
        self._env = another("Collector", env)()
        try:
            steps = plan.num_steps(self._env.batch_size.numel())
            self._gatherer = Gatherer(self._env, policy, plan, Group(0, 1, steps), self._device)
            self.set_seed(seed)
        except BaseException:
            self.shutdown()
            raise

    def _next(self) -> TensorDict:
        return self._placed(self._gatherer.gather(self._weights, self.version))

    def _begin(self, key: Tensor) -> None:
        self._gatherer.begin(key)

    def _release(self) -> None:
        self._env.close()
