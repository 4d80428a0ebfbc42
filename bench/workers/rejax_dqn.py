"""rejax's DQN in PureJaxRL's configuration, as a worker of `bench/dqn_throughput.py`. Runs where rejax is installed.

Usage: python rejax_dqn.py NUM_STEPS, then one line on standard input for each timed run.
"""

import json
import sys
import time
from importlib.metadata import version


def main() -> None:
    steps = int(sys.argv[1])
    import jax
    from flax import linen as nn
    from rejax import DQN
    from rejax.networks import DiscreteQNetwork, EpsilonGreedyPolicy

    network = EpsilonGreedyPolicy(DiscreteQNetwork)(hidden_layer_sizes=(120, 84), activation=nn.relu, action_dim=2)
    algorithm = DQN.create(
        env="CartPole-v1",
        num_envs=10,
        buffer_size=10_000,
        fill_buffer=10_000,
        batch_size=128,
        num_epochs=1,
        ddqn=False,
        eps_start=1.0,
        eps_end=0.05,
        exploration_fraction=0.5,
        target_update_freq=500,
        polyak=0.0,
        learning_rate=2.5e-4,
        gamma=0.99,
        total_timesteps=steps,
        eval_freq=steps,
        skip_initial_evaluation=True,
        normalize_observations=False,
        normalize_rewards=False,
    ).replace(agent=network, eval_callback=lambda algorithm, state, rng: state.global_step)

    def train(rng):
        state, _ = algorithm.train(rng)
        return state.global_step, state.q_ts.params

    began = time.perf_counter()
    compiled = jax.jit(train).lower(jax.random.PRNGKey(0)).compile()
    print(
        json.dumps({"compile": time.perf_counter() - began, "jax": jax.__version__, "rejax": version("rejax")}),
        flush=True,
    )
    for seed, _ in enumerate(sys.stdin):
        began = time.perf_counter()
        done = int(jax.block_until_ready(compiled(jax.random.PRNGKey(seed)))[0])
        print(json.dumps({"seconds": time.perf_counter() - began, "steps": done}), flush=True)


main()
