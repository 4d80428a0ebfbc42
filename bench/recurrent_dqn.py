"""DQN with a memory on CartPole with hidden velocities: seeds 0-4 in one vmapped, compiled program, replay inside.

Claim: the interquartile mean of the last policies' returns is at least 300 within half an hour on two cores.

    python bench/recurrent_dqn.py
    python bench/recurrent_dqn.py --steps 20000      # a glance
"""

import argparse
import json
import time

import torch
from report import machine, write

import frl
from frl import random, replay, training, transforms
from frl.algorithms import DQNConfig, QNetwork, dqn, recurrent_q_network
from frl.envs import Env, FunctionalEnv
from frl.envs.classic import PositionOnlyCartPole
from frl.objectives import td_lambda

NUM_ENVS, NUM_STEPS, NUM_UPDATES, BATCH_SIZE, LENGTH = 8, 32, 64, 16, 16


def world(num_envs: int) -> Env:
    """Positions brought to about ±1, so that the steps between them are seen."""
    scale = transforms.ObservationNorm(loc=torch.zeros(2), scale=torch.tensor([0.5, 5.0]))
    return transforms.TransformedEnv(
        FunctionalEnv(PositionOnlyCartPole(), [num_envs], max_steps=500),
        transforms.Compose(scale, transforms.InitTracker()),
    )


def networks() -> QNetwork:
    env = FunctionalEnv(PositionOnlyCartPole())
    return recurrent_q_network(env.single_observation_spec, env.single_action_spec, hidden_size=32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300_000, help="of each seed")
    parser.add_argument("--evaluations", type=int, default=12)
    arguments = parser.parse_args()
    began = time.perf_counter()

    network = networks()
    memory = transforms.make_tensordict_primer(network.module)
    env, judge = (world(n).append_transform(memory) for n in (NUM_ENVS, 100))
    num_rollouts = -(-arguments.steps // (NUM_ENVS * NUM_STEPS))
    config = DQNConfig(anneal_updates=num_rollouts * NUM_UPDATES)
    algorithm = dqn(network, config, lambda gamma: td_lambda(gamma, 0.8))
    buffer = replay.sequence(50_000, BATCH_SIZE, LENGTH, NUM_ENVS)
    loop = training.population(
        training.off_policy(env, algorithm, buffer, NUM_STEPS, NUM_UPDATES, warmup=1000), arguments.num_seeds
    )
    state = loop.init(random.key(torch.arange(arguments.num_seeds)))
    step = frl.compile(loop.step, donate=True)
    evaluate = frl.compile(torch.vmap(lambda train, key: training.evaluate(judge, algorithm.act, train, key, 100)))
    keys = random.split(random.key(1_000_000), arguments.num_seeds)

    curve: list[dict] = []
    for rollouts in range(1, num_rollouts + 1):
        state, _ = step(state)
        if rollouts % max(num_rollouts // arguments.evaluations, 1) == 0 or rollouts == num_rollouts:
            returns = evaluate(state["train"], keys).mean(-1)
            point = {
                "steps": int(state["step"][0]),
                "seconds": round(time.perf_counter() - began),
                "returns": [round(x, 1) for x in returns.tolist()],
                "interquartile_mean": round(training.interquartile_mean(returns).item(), 1),
            }
            print(json.dumps(point), flush=True)
            curve.append(point)
    setting = {
        "environments": NUM_ENVS,
        "steps_of_a_rollout": NUM_STEPS,
        "updates_of_a_rollout": NUM_UPDATES,
        "batch": [BATCH_SIZE, LENGTH],
        **config._asdict(),
    }
    write("recurrent_dqn", {**curve[-1], "setting": setting, "curve": curve, "machine": machine()})


if __name__ == "__main__":
    main()
