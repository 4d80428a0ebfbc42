"""`ParallelEnv` against Gymnasium's `AsyncVectorEnv`: seconds of one loop over those of the other, two workers each.

Claim: at least 0.9 of its speed (goal: 1.1), on CartPole-v1 and on CartPole-v1 seen as pixels.

Both loops step random actions that were drawn beforehand and start a new episode after every end: Gymnasium by its own
autoreset (`gymnasium.make_vec` with "async", its defaults, which copy what is in shared memory as ours do), ours by
`step_and_reset`, which keeps the true successor as well. They take turns, each timed `--repeats` times; the ratio is
that of neighbours. While one is timed the other's workers wait.

    python bench/parallel_env.py
"""

import argparse
from functools import partial
from importlib.metadata import version

import gymnasium
import numpy as np
import torch
from gym_overhead import bare_seconds, our_seconds
from gymnasium.wrappers import AddRenderObservation
from report import machine, quartiles, write

from frl.envs import GymEnv, ParallelEnv, SerialEnv

WORKERS = 2
MUST = 0.9


def measure(name, theirs, ours, num_steps, repeats):
    serial = SerialEnv(WORKERS, ours)
    index = np.random.default_rng(0).integers(0, 2, (num_steps, WORKERS))
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(index), 2).unbind(0)
    with ParallelEnv(WORKERS, ours) as parallel:
        bare_seconds(theirs, index[:50]), our_seconds(parallel, one_hot[:50])
        rounds = [
            (bare_seconds(theirs, index), our_seconds(parallel, one_hot), our_seconds(serial, one_hot))
            for _ in range(repeats)
        ]
    theirs.close()
    micro = 1e6 / num_steps
    return {
        "name": name,
        "num_steps": num_steps,
        "async_vector_env_us": quartiles([a * micro for a, _, _ in rounds], 3),
        "parallel_env_us": quartiles([b * micro for _, b, _ in rounds], 3),
        "serial_env_us": quartiles([c * micro for _, _, c in rounds], 3),
        "speed_ratio": quartiles([a / b for a, b, _ in rounds], 3),
        "must": MUST,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--num-steps", type=int, default=5000)
    parser.add_argument("--num-frames", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    make_vec = partial(gymnasium.make_vec, "CartPole-v1", WORKERS, vectorization_mode="async")
    rows = [
        measure("CartPole-v1", make_vec(), partial(GymEnv, "CartPole-v1"), arguments.num_steps, arguments.repeats),
        measure(
            "CartPole-v1, pixels",
            make_vec(render_mode="rgb_array", wrappers=[AddRenderObservation]),
            partial(GymEnv, "CartPole-v1", from_pixels=True),
            arguments.num_frames,
            arguments.repeats,
        ),
    ]
    for row in rows:
        print(row)
    write(
        "parallel_env",
        {"rows": rows, "repeats": arguments.repeats, "gymnasium": version("gymnasium"), "machine": machine()},
    )


if __name__ == "__main__":
    main()
