"""PureJaxRL's `ppo.py`, unchanged, as a worker of `bench/ppo_throughput.py`. Runs where jax and gymnax are installed.

Usage: python purejaxrl_ppo.py CHECKOUT NUM_ENVS NUM_UPDATES [AGENTS], then one line on standard input for each timed
run. Several agents train at once, by `jax.vmap`.
"""

import json
import sys
import time
from importlib.metadata import version
from types import ModuleType


def main() -> None:
    checkout, (num_envs, num_updates, *several) = sys.argv[1], (int(argument) for argument in sys.argv[2:])
    agents = several[0] if several else 1
    sys.path.insert(0, f"{checkout}/purejaxrl")
    for name in ("brax", "brax.envs", "brax.envs.wrappers", "brax.envs.wrappers.training", "navix"):
        sys.modules[name] = ModuleType(name)  # imported by its wrappers, but of no use to CartPole
    sys.modules["brax"].envs = sys.modules["brax.envs"]
    sys.modules["brax.envs.wrappers.training"].AutoResetWrapper = object
    sys.modules["brax.envs.wrappers.training"].EpisodeWrapper = object
    import jax
    from ppo import make_train

    steps = num_envs * 128 * num_updates
    config = {
        "LR": 2.5e-4,
        "NUM_ENVS": num_envs,
        "NUM_STEPS": 128,
        "TOTAL_TIMESTEPS": steps,
        "UPDATE_EPOCHS": 4,
        "NUM_MINIBATCHES": 4,
        "GAMMA": 0.99,
        "GAE_LAMBDA": 0.95,
        "CLIP_EPS": 0.2,
        "ENT_COEF": 0.01,
        "VF_COEF": 0.5,
        "MAX_GRAD_NORM": 0.5,
        "ACTIVATION": "tanh",
        "ENV_NAME": "CartPole-v1",
        "ANNEAL_LR": True,
        "DEBUG": False,
    }

    def train_one(rng):
        out = make_train(config)(rng)  # only the mean return is kept, so that no metrics are moved or stored
        return out["metrics"]["returned_episode_returns"][-1].mean()

    def train(rng):
        return jax.vmap(train_one)(jax.random.split(rng, agents)).mean() if agents > 1 else train_one(rng)

    began = time.perf_counter()
    compiled = jax.jit(train).lower(jax.random.PRNGKey(0)).compile()
    print(
        json.dumps({"compile": time.perf_counter() - began, "jax": jax.__version__, "gymnax": version("gymnax")}),
        flush=True,
    )
    for seed, _ in enumerate(sys.stdin):
        began = time.perf_counter()
        result = float(compiled(jax.random.PRNGKey(seed)).block_until_ready())
        print(
            json.dumps({"seconds": time.perf_counter() - began, "steps": agents * steps, "return": result}), flush=True
        )


main()
