"""PureJaxRL's `dqn.py`, unchanged, as a worker of `bench/dqn_throughput.py`. Runs where jax, gymnax and flashbax are.

Usage: python purejaxrl_dqn.py CHECKOUT NUM_STEPS, then one line on standard input for each timed run.
"""

import json
import sys
import time
from importlib.metadata import version
from types import ModuleType


def main() -> None:
    checkout, steps = sys.argv[1], int(sys.argv[2])
    sys.path.insert(0, f"{checkout}/purejaxrl")
    sys.modules["wandb"] = ModuleType("wandb")  # imported, but of no use where nothing is logged
    import jax

    if not hasattr(jax, "tree_map"):
        jax.tree_map = jax.tree_util.tree_map
    from dqn import make_train

    config = {
        "NUM_ENVS": 10,
        "BUFFER_SIZE": 10000,
        "BUFFER_BATCH_SIZE": 128,
        "TOTAL_TIMESTEPS": steps,
        "EPSILON_START": 1.0,
        "EPSILON_FINISH": 0.05,
        "EPSILON_ANNEAL_TIME": 25e4,
        "TARGET_UPDATE_INTERVAL": 500,
        "LR": 2.5e-4,
        "LEARNING_STARTS": 10000,
        "TRAINING_INTERVAL": 10,
        "LR_LINEAR_DECAY": False,
        "GAMMA": 0.99,
        "TAU": 1.0,
        "ENV_NAME": "CartPole-v1",
        "WANDB_MODE": "disabled",
    }

    def train(rng):
        return make_train(config)(rng)["metrics"]["returns"][-1]

    began = time.perf_counter()
    compiled = jax.jit(train).lower(jax.random.PRNGKey(0)).compile()
    versions = {name: version(name) for name in ("jax", "gymnax", "flashbax")}
    print(json.dumps({"compile": time.perf_counter() - began, **versions}), flush=True)
    for seed, _ in enumerate(sys.stdin):
        began = time.perf_counter()
        result = float(compiled(jax.random.PRNGKey(seed)).block_until_ready())
        print(json.dumps({"seconds": time.perf_counter() - began, "steps": steps, "return": result}), flush=True)


main()
