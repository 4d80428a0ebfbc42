"""DQN with a memory on the pixels of Gymnasium's CartPole: 84 × 84 in grey, an LSTM of 128, a memory-mapped replay.

Claim: within half an hour on two cores the return is clearly above that of random actions.

    MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 python bench/recurrent_dqn_pixels.py

With those two variables the memory of large activations is kept from one update to the next; without, the kernel
clears it anew each time.
"""

import argparse
import json
import time

import torch
from report import machine, write
from torch import nn

import frl
from frl import TensorDict, collectors, random, replay, training
from frl.algorithms import Algorithm, DQNConfig, QNetwork, dqn
from frl.envs import Env, GymEnv, ParallelEnv
from frl.nn import MLP, ConvNet, LSTMModule, TensorDictModule, TensorDictSequential, initialize
from frl.objectives import td_lambda
from frl.transforms import (
    Compose,
    GrayScale,
    InitTracker,
    ObservationNorm,
    Resize,
    RewardScaling,
    StepCounter,
    ToTensorImage,
    TransformedEnv,
    make_tensordict_primer,
)

NUM_ENVS, NUM_STEPS, NUM_UPDATES, BATCH_SIZE, CAPACITY = 4, 50, 16, 8, 1000
WARMUP = 5  # rollouts of random actions


def pixels() -> Env:
    """One environment, as a worker has it."""
    return TransformedEnv(
        GymEnv("CartPole-v1", from_pixels=True), Compose(ToTensorImage(), GrayScale(), Resize(84, 84))
    )


def world(network: QNetwork) -> TransformedEnv:
    norm = ObservationNorm(standard_normal=True, in_keys=["pixels"])
    env = TransformedEnv(ParallelEnv(NUM_ENVS, pixels), norm)
    env = env.transform.init_stats(1000, reduce_dim=[0, 1, 2, 3, 4], cat_dim=1, keep_dims=[2])
    after = Compose(
        StepCounter(), InitTracker(), RewardScaling(loc=0.0, scale=0.1), make_tensordict_primer(network.module)
    )
    return env.append_transform(after)


def network_of(env: Env) -> QNetwork:
    convolutions = ConvNet(1, num_cells=[16, 32, 32], kernel_sizes=[8, 4, 3], strides=[4, 2, 2])
    module = TensorDictSequential(
        TensorDictModule(convolutions, ["pixels"], ["embed"]),
        LSTMModule(512, 128),
        TensorDictModule(MLP(128, 2, num_cells=[64], activation_class=nn.ELU), ["embed"], ["action_value"]),
    )
    return QNetwork(module, env.single_action_spec, lambda key: initialize(module, key))


def evaluate(env: Env, algorithm: Algorithm, train: TensorDict, key: torch.Tensor, rounds: int) -> torch.Tensor:
    """Returns, not scaled, of the greedy policy."""
    keys = random.split(key, rounds)
    return 10 * torch.cat([training.evaluate(env, algorithm.act, train, k, NUM_ENVS) for k in keys])


def mean(returns: list[float]) -> float:
    return round(sum(returns) / len(returns), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=29.0, help="of training, compilation included")
    parser.add_argument("--evaluations", type=int, default=5, help="rounds of 4 episodes after it")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    began = time.perf_counter()

    with GymEnv("CartPole-v1") as bare, torch.random.fork_rng():
        network = network_of(bare)
    config = DQNConfig(learning_rate=3e-4, target_rate=0.05, epsilon_updates=2000)
    algorithm = dqn(network, config, lambda gamma: td_lambda(gamma, 0.8))
    act, update = frl.compile(algorithm.act), frl.compile(algorithm.update)
    k_train, k_env, k_evaluate, key = random.split(random.key(arguments.seed), 4)
    train, env = algorithm.init(k_train), world(network)
    runner = collectors.start(env, k_env)
    buffer = replay.TensorDictReplayBuffer(replay.LazyMemmapStorage(CAPACITY), batch_size=BATCH_SIZE, prefetch=2)

    curve: list[dict] = []
    returns: list[float] = []
    rollouts, by_chance = 0, float("nan")
    while time.perf_counter() - began < 60 * arguments.minutes:
        key, k_collect, k_update = random.split(key, 3)
        runner, batch = collectors.collect(env, act, train, runner, k_collect, NUM_STEPS)
        buffer.extend(batch)
        after = batch["next"]
        returns += after["episode_length"][after["done"]].tolist()
        rollouts += 1
        if rollouts == WARMUP:
            by_chance = mean(returns)
        if rollouts <= WARMUP:
            continue
        for k in random.split(k_update, NUM_UPDATES):
            train, metrics = update(train, buffer.sample(), k)
        if rollouts % 20 == 0:
            point = {
                "frames": rollouts * batch.numel(),
                "updates": int(train["updates"]),
                "seconds": round(time.perf_counter() - began),
                "mean_return_of_last_20": mean(returns[-20:]),
                "loss": round(metrics["loss"].item(), 4),
            }
            print(json.dumps(point), flush=True)
            curve.append(point)
    evaluated = evaluate(env, algorithm, train, k_evaluate, arguments.evaluations)
    env.close()
    result = {
        "mean_return": round(evaluated.mean().item(), 1),
        "returns": [round(x) for x in evaluated.tolist()],
        "mean_return_of_random_actions": by_chance,
        "updates": int(train["updates"]),
        "frames": rollouts * NUM_ENVS * NUM_STEPS,
    }
    print(json.dumps(result))
    setting = {
        "environments": NUM_ENVS,
        "steps_of_a_rollout": NUM_STEPS,
        "updates_of_a_rollout": NUM_UPDATES,
        "batch": [BATCH_SIZE, NUM_STEPS],
        "sequences_remembered": CAPACITY,
        **config._asdict(),
    }
    write("recurrent_dqn_pixels", {**result, "setting": setting, "curve": curve, "machine": machine()})


if __name__ == "__main__":
    main()
