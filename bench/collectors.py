"""Frames per second that collectors deliver, beside a bare Gymnasium loop over the same environments.

Claim: several processes deliver more frames than one where an environment or a policy takes its time, and batches cross
between them at little cost.

CartPole-v1, 1, 8 and 32 environments in all; by random actions, and by a network of 64-64 units. The bare loop steps as
many Gymnasium environments in turn, with actions drawn beforehand, and keeps nothing. The others: `Collector` of a
vector of all; `MultiSyncCollector` and `MultiAsyncCollector` of two workers with half of them each (one environment:
one each, two in all). They take turns, each timed `--repeats` times over one batch after a first that is not timed;
for the asynchronous one, which works ahead, over four.

    python bench/collectors.py
"""

import argparse
import time
from functools import partial
from importlib.metadata import version

import gymnasium
import numpy as np
import torch
from report import machine, quartiles, write

from frl.collectors import Collector, MultiAsyncCollector, MultiSyncCollector
from frl.envs import GymEnv
from frl.nn import MLP, QValueActor
from frl.specs import OneHot


def create(num_envs):
    return GymEnv("CartPole-v1") if num_envs == 1 else GymEnv("CartPole-v1", num_envs=num_envs)


def network():
    return QValueActor(MLP(4, 2, num_cells=[64, 64]), spec=OneHot(2))


class Bare:
    """Gymnasium alone."""

    def __init__(self, num_envs, num_frames):
        self.envs = [gymnasium.make("CartPole-v1") for _ in range(num_envs)]
        self.actions = np.random.default_rng(0).integers(0, 2, (num_frames // num_envs, num_envs))
        for env in self.envs:
            env.reset(seed=0)

    def run(self):
        for row in self.actions:
            for env, action in zip(self.envs, row, strict=True):
                _, _, terminated, truncated, _ = env.step(action)
                if terminated or truncated:
                    env.reset()
        return self.actions.size

    def shutdown(self):
        for env in self.envs:
            env.close()


class Timed:
    """A collector, so many batches at a time."""

    def __init__(self, collector, num_batches=1):
        self.collector, self.batches, self.num_batches = collector, iter(collector), num_batches

    def run(self):
        return sum(next(self.batches).numel() for _ in range(self.num_batches))

    def shutdown(self):
        self.collector.shutdown()


def rate(contender):
    begin = time.perf_counter()
    frames = contender.run()
    return frames / (time.perf_counter() - begin)


def measure(num_envs, policy, num_frames, repeats):
    half = [partial(create, max(num_envs // 2, 1))] * 2
    contenders = {
        "gymnasium": Bare(num_envs, num_frames),
        "collector": Timed(Collector(partial(create, num_envs), policy, num_frames)),
        "multi_sync_2": Timed(MultiSyncCollector(half, policy, num_frames)),
        "multi_async_2": Timed(MultiAsyncCollector(half, policy, num_frames // 2), 4),
    }
    for contender in contenders.values():
        contender.run()
    rates = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, contender in contenders.items():
            rates[name].append(rate(contender))
    for contender in contenders.values():
        contender.shutdown()
    return {
        "num_envs": num_envs,
        "policy": "random" if policy is None else "network",
        "frames_per_s": {name: quartiles(values) for name, values in rates.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--num-frames", type=int, default=4096, help="of a batch, a multiple of 64")
    parser.add_argument("--dry", action="store_true", help="print, and keep nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = []
    for num_envs in (1, 8, 32):
        for policy in (None, network()):
            rows.append(measure(num_envs, policy, arguments.num_frames, arguments.repeats))
            print(rows[-1], flush=True)
    if not arguments.dry:
        report = {"rows": rows, "num_frames": arguments.num_frames, "repeats": arguments.repeats}
        write("collectors", {**report, "gymnasium": version("gymnasium"), "machine": machine()})


if __name__ == "__main__":
    main()
