"""What `GymEnv` adds to Gymnasium: seconds of its loop over those of the bare `gymnasium.vector` loop, CartPole-v1.

Claim: at most 3.0 times at 1 environment and 1.5 times at 16 (goals: 2.0 and 1.2).

Both loops step random actions that were drawn beforehand and start a new episode after every end: Gymnasium by its own
autoreset (`gymnasium.make_vec`, its defaults), ours by `step_and_reset`, which keeps the true successor as well. They
take turns, each timed `--repeats` times; the ratio is that of neighbours.

    python bench/gym_overhead.py
"""

import argparse
import time
from importlib.metadata import version

import gymnasium
import numpy as np
import torch
from report import machine, quartiles, write

from frl.envs import GymEnv

MUST = {1: 3.0, 16: 1.5}


def bare_seconds(env, actions):
    env.reset(seed=0)
    begin = time.perf_counter()
    for action in actions:
        env.step(action)
    return time.perf_counter() - begin


def our_seconds(env, actions):
    td = env.reset()
    begin = time.perf_counter()
    for action in actions:
        _, td = env.step_and_reset(td.set("action", action))
    return time.perf_counter() - begin


def measure(num_envs, num_steps, repeats):
    bare = gymnasium.make_vec("CartPole-v1", num_envs, vectorization_mode="sync")
    ours = GymEnv("CartPole-v1", num_envs=num_envs)
    index = np.random.default_rng(0).integers(0, 2, (num_steps, num_envs))
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(index), 2).unbind(0)
    bare_seconds(bare, index[:500]), our_seconds(ours, one_hot[:500])
    pairs = [(bare_seconds(bare, index), our_seconds(ours, one_hot)) for _ in range(repeats)]
    micro = 1e6 / num_steps
    return {
        "num_envs": num_envs,
        "gymnasium_us": quartiles([theirs * micro for theirs, _ in pairs], 3),
        "frl_us": quartiles([mine * micro for _, mine in pairs], 3),
        "ratio": quartiles([mine / theirs for theirs, mine in pairs], 3),
        "must": MUST[num_envs],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--num-steps", type=int, default=5000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = [measure(n, arguments.num_steps, arguments.repeats) for n in MUST]
    for row in rows:
        print(row)
    write(
        "gym_overhead",
        {"rows": rows, "repeats": arguments.repeats, "gymnasium": version("gymnasium"), "machine": machine()},
    )


if __name__ == "__main__":
    main()
