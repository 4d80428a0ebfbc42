"""Stable-Baselines3's PPO in PureJaxRL's configuration, as a worker of `bench/ppo_throughput.py`.

Usage: python sb3_ppo.py NUM_ENVS NUM_UPDATES THREADS, then one line on standard input for each timed run.
"""

import json
import sys
import time


def main() -> None:
    num_envs, num_updates, threads = (int(argument) for argument in sys.argv[1:4])
    import stable_baselines3
    import torch
    from stable_baselines3.common.env_util import make_vec_env

    torch.set_num_threads(threads)
    steps = num_envs * 128 * num_updates
    began = time.perf_counter()
    model = stable_baselines3.PPO(
        "MlpPolicy",
        make_vec_env("CartPole-v1", num_envs),
        n_steps=128,
        batch_size=num_envs * 128 // 4,
        n_epochs=4,
        learning_rate=lambda left: 2.5e-4 * left,
        ent_coef=0.01,
        clip_range_vf=0.2,
        device="cpu",
    )
    versions = {"stable_baselines3": stable_baselines3.__version__, "torch": torch.__version__}
    print(json.dumps({"compile": time.perf_counter() - began, **versions}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        model.learn(steps)
        print(json.dumps({"seconds": time.perf_counter() - began, "steps": steps}), flush=True)


main()
