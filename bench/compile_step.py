"""What it costs to compile one PPO step, and what the step then does: CPU seconds, Python and the C++ compiler apart.

    python bench/compile_step.py --num-envs 64 [--num-seeds 8] [--updates 50] [--threads 1] [--trivial]

PureJaxRL's configuration: 128 steps, 4 epochs × 4 minibatches, two MLPs of 64-64 tanh. CPU time and not the clock's, so
that a busy machine can be measured on; run it with TORCHINDUCTOR_CACHE_DIR set to a fresh directory for a cold start,
and again for a warm one. Prints one line of JSON.
"""

import argparse
import json
import os
import platform
import statistics
import time

import torch

from frl import random
from frl.algorithms import PPOConfig, actor_critic, ppo
from frl.compilation import compile
from frl.envs import make
from frl.training import on_policy, population


def cpu() -> tuple[float, float]:
    t = os.times()
    return t.user + t.system, t.children_user + t.children_system


def measure(step, state, updates):
    before, start = cpu(), time.perf_counter()
    state, _ = step(state)
    after, first = cpu(), time.perf_counter() - start
    clock, process = [], []
    for _ in range(updates):
        t, p = time.perf_counter(), time.process_time()
        state, _ = step(state)
        clock.append(time.perf_counter() - t)
        process.append(time.process_time() - p)
    python, compiler = (b - a for a, b in zip(before, after, strict=True))
    return first, python, compiler, clock, process


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--num-seeds", type=int, default=0)
    parser.add_argument("--updates", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--trivial", action="store_true", help="compile x + 1 by torch.compile first, and report it")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    result = {"num_envs": args.num_envs, "num_seeds": args.num_seeds, "threads": args.threads}
    if args.trivial:
        before, start = cpu(), time.perf_counter()
        torch.compile(lambda x: x + 1)(torch.ones(3))
        result["trivial_clock_s"] = round(time.perf_counter() - start, 1)
        result["trivial_python_s"], result["trivial_cxx_s"] = (
            round(b - a, 1) for a, b in zip(before, cpu(), strict=True)
        )
    env = make("CartPole-v1", args.num_envs)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec)
    loop, key = on_policy(env, ppo(networks, PPOConfig(anneal_updates=1e4)), 128), random.key(0)
    if args.num_seeds:
        loop, key = population(loop, args.num_seeds), random.split(key, args.num_seeds)
    first, python, compiler, clock, process = measure(compile(loop.step), loop.init(key), args.updates)
    steps = 128 * args.num_envs * max(1, args.num_seeds)
    result |= {
        "compile_clock_s": round(first, 1),
        "compile_python_s": round(python, 1),
        "compile_cxx_s": round(compiler, 1),
        "steps_per_s_clock_median": round(steps / statistics.median(clock)),
        "steps_per_s_clock_best": round(steps / min(clock)),
        "steps_per_cpu_s_best": round(steps / min(process)),
        "ms_per_update_cpu_best": round(min(process) * 1e3, 2),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
