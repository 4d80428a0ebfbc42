"""frl's compiled DQN step with replay inside, as a worker of `bench/dqn_throughput.py`.

Usage: python frl_dqn.py NUM_STEPS THREADS, then one line on standard input for each timed run.
"""

import json
import sys
import time

CHUNK = 32  # vector steps, and as many updates, in one step of the loop


def main() -> None:
    num_steps, threads = int(sys.argv[1]), int(sys.argv[2])
    import torch

    torch.set_num_threads(threads)
    import frl
    from frl.algorithms import DQNConfig, dqn, q_network

    env = frl.envs.make("CartPole-v1", 10)
    networks = q_network(env.single_observation_spec, env.single_action_spec, num_cells=(120, 84))
    config = DQNConfig(
        double=False,
        learning_rate=2.5e-4,
        target_rate=1.0,
        target_period=50,
        epsilon_updates=25_000,
        max_grad_norm=float("inf"),
    )
    buffer = frl.replay.uniform(capacity=10_000, batch_size=128)
    loop = frl.training.off_policy(env, dqn(networks, config), buffer, CHUNK, CHUNK, warmup=10_000)
    step = frl.compile(loop.step, donate=True)
    began = time.perf_counter()
    step(loop.init(frl.random.key(0)))
    print(json.dumps({"compile": time.perf_counter() - began, "torch": torch.__version__}), flush=True)
    count = num_steps // (10 * CHUNK)
    for seed, _ in enumerate(sys.stdin):
        state = loop.init(frl.random.key(seed))
        began = time.perf_counter()
        for _ in range(count):
            state, metrics = step(state)
        seconds = time.perf_counter() - began
        result = {"seconds": seconds, "steps": count * 10 * CHUNK, "return": float(metrics["episode_return"])}
        print(json.dumps(result), flush=True)


main()
