"""frl's compiled PPO step in PureJaxRL's configuration, as a worker of `bench/ppo_throughput.py`.

Usage: python frl_ppo.py NUM_ENVS NUM_UPDATES THREADS [AGENTS], then one line on standard input for each timed run.
Several agents are one population, in chunks of 8, on as many cores as there are threads.
"""

import json
import sys
import time


def main() -> None:
    num_envs, num_updates, threads, *several = (int(argument) for argument in sys.argv[1:])
    agents = several[0] if several else 1
    import torch

    torch.set_num_threads(threads)
    import frl

    env = frl.envs.make("CartPole-v1", num_envs)
    networks = frl.algorithms.actor_critic(env.single_observation_spec, env.single_action_spec)
    config = frl.algorithms.PPOConfig(anneal_updates=num_updates)
    loop = frl.training.on_policy(env, frl.algorithms.ppo(networks, config), 128)
    if several:
        loop = frl.training.population(loop, agents, chunk=8)
    step = frl.compile(loop.step, shards=threads if several else 1)
    steps = agents * num_envs * 128 * num_updates

    def key(seed: int):
        return frl.random.split(frl.random.key(seed), agents) if several else frl.random.key(seed)

    began = time.perf_counter()
    step(loop.init(key(0)))
    print(json.dumps({"compile": time.perf_counter() - began, "torch": torch.__version__}), flush=True)
    for seed, _ in enumerate(sys.stdin):
        state = loop.init(key(seed))
        began = time.perf_counter()
        for _ in range(num_updates):
            state, metrics = step(state)
        result = {
            "seconds": time.perf_counter() - began,
            "steps": steps,
            "return": float(metrics["episode_return"].mean()),
        }
        print(json.dumps(result), flush=True)


main()
