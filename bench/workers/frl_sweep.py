"""PPO agents of several learning rates and seeds, in PureJaxRL's configuration, as a worker of
`bench/sweep_throughput.py`.

Usage: python frl_sweep.py one-program|one-by-one NUM_RATES NUM_SEEDS NUM_UPDATES THREADS RUNS, then one line on
standard input for each timed run. One program trains all agents, in chunks of 8 on as many cores as there are threads;
one by one, RUNS of them are trained by the step of one agent. `python frl_sweep.py alone RATE SEED NUM_UPDATES` trains
one agent and ends.
"""

import json
import sys
import time
from functools import partial

NUM_ENVS, NUM_STEPS = 4, 128


def made(num_updates: int):
    import frl

    env = frl.envs.make("CartPole-v1", NUM_ENVS)
    networks = frl.algorithms.actor_critic(env.single_observation_spec, env.single_action_spec)
    config = frl.algorithms.PPOConfig(anneal_updates=num_updates)
    return frl, frl.training.on_policy(env, frl.algorithms.ppo(networks, config), NUM_STEPS)


def rates(number: int) -> list[float]:
    """From 1e-4 to 1e-2, evenly by ratio."""
    return [1e-4 * 100 ** (i / max(number - 1, 1)) for i in range(number)]


def start(frl, loop, rate: float, seed: int):
    state = loop.init(frl.random.key(seed))
    return frl.training.member(frl.training.vary(frl.training.assemble([state]), {"learning_rate": [rate]}), 0)


def trained(step, state, num_updates: int):
    for _ in range(num_updates):
        state, metrics = step(state)
    return metrics


def main() -> None:
    kind, *numbers = sys.argv[1:]
    if kind == "alone":
        alone(float(numbers[0]), int(numbers[1]), int(numbers[2]))
        return
    num_rates, num_seeds, num_updates, threads, runs = map(int, numbers)
    import torch

    torch.set_num_threads(threads)
    frl, loop = made(num_updates)
    agents = num_rates * num_seeds
    values, seeds = frl.training.grid({"learning_rate": rates(num_rates)}, num_seeds)
    together = kind == "one-program"
    if together:
        loop = frl.training.population(loop, agents, chunk=min(agents, 8))
    step = frl.compile(loop.step, shards=threads if together else 1)

    def all_at_once():
        states = frl.training.vary(loop.init(frl.random.key(seeds)), values)
        return partial(trained, step, states, num_updates)

    def one_by_one():
        chosen = range(0, agents, max(agents // runs, 1))
        states = [start(frl, loop, values["learning_rate"][i].item(), int(seeds[i])) for i in list(chosen)[:runs]]
        return lambda: [trained(step, state, num_updates) for state in states]

    prepare = all_at_once if together else one_by_one
    began = time.perf_counter()
    step(loop.init(frl.random.key(seeds) if together else frl.random.key(0)))
    print(json.dumps({"compile": time.perf_counter() - began, "torch": torch.__version__}), flush=True)
    for _ in sys.stdin:
        run = prepare()
        began = time.perf_counter()
        run()
        seconds = time.perf_counter() - began
        count = (agents if together else runs) * NUM_ENVS * NUM_STEPS * num_updates
        print(json.dumps({"seconds": seconds, "steps": count}), flush=True)


def alone(rate: float, seed: int, num_updates: int) -> None:
    import torch

    torch.set_num_threads(1)
    frl, loop = made(num_updates)
    trained(frl.compile(loop.step), start(frl, loop, rate, seed), num_updates)


main()
