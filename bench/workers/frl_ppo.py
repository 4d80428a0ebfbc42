"""frl's compiled PPO step in PureJaxRL's configuration, as a worker of `bench/ppo_throughput.py`.

Usage: python frl_ppo.py NUM_ENVS NUM_UPDATES THREADS, then one line on standard input for each timed run.
"""

import json
import sys
import time


def main() -> None:
    num_envs, num_updates, threads = (int(argument) for argument in sys.argv[1:4])
    import torch

    torch.set_num_threads(threads)
    import frl

    env = frl.envs.make("CartPole-v1", num_envs)
    networks = frl.algorithms.actor_critic(env.single_observation_spec, env.single_action_spec)
    config = frl.algorithms.PPOConfig(anneal_updates=num_updates)
    loop = frl.training.on_policy(env, frl.algorithms.ppo(networks, config), 128)
    step = frl.compile(loop.step)
    steps = num_envs * 128 * num_updates
    began = time.perf_counter()
    step(loop.init(frl.random.key(0)))
    print(json.dumps({"compile": time.perf_counter() - began, "torch": torch.__version__}), flush=True)
    for seed, _ in enumerate(sys.stdin):
        state = loop.init(frl.random.key(seed))
        began = time.perf_counter()
        for _ in range(num_updates):
            state, metrics = step(state)
        result = {"seconds": time.perf_counter() - began, "steps": steps, "return": float(metrics["episode_return"])}
        print(json.dumps(result), flush=True)


main()
