"""A member of a population against the run of its seed alone.

Claim: in eager mode they are bitwise equal. Compiled, where the population is one vmapped program, they draw the same
random integers and take the same first actions; parameters agree within 1e-5 after one update in float32 and within
1e-8 after ten in float64.

    python bench/population.py
"""

import argparse
import json

import torch
from report import machine, write

import frl
from frl import TensorDict, random, tree


def difference(x: TensorDict, y: TensorDict) -> float:
    return max((a - b).abs().max().item() for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True))


def run(step, state: TensorDict, num_updates: int) -> TensorDict:
    for _ in range(num_updates):
        state, _ = step(state)
    return state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=5)
    arguments = parser.parse_args()
    n = arguments.members
    env = frl.envs.make("CartPole-v1", 8)
    networks = frl.algorithms.actor_critic(env.single_observation_spec, env.single_action_spec)
    algorithm = frl.algorithms.ppo(networks)
    loop = frl.training.on_policy(env, algorithm, 32)
    many = frl.training.population(loop, n)
    keys = random.key(torch.arange(n))
    states = many.init(keys)
    result: dict[str, object] = {"members": n}

    last = n - 1
    alone = loop.init(keys[last])
    result["eager, 2 updates, bitwise equal"] = (
        difference(run(many.step, states, 2)[last], run(loop.step, alone, 2)) == 0
    )

    first = frl.compile(lambda train, td, key: algorithm.act(train, td, key)["action"])
    batched = frl.compile(torch.vmap(lambda train, td, key: algorithm.act(train, td, key)["action"]))
    together = batched(states["train"], states["runner", "td"], states["key"])[last]
    result["first actions equal"] = torch.equal(together, first(alone["train"], alone["runner", "td"], alone["key"]))

    step, steps = frl.compile(loop.step), frl.compile(many.step)
    for dtype, num_updates in ((torch.float32, 1), (torch.float64, 10)):
        x = run(steps, tree.cast(states, dtype), num_updates)[last]
        y = run(step, tree.cast(alone, dtype), num_updates)
        name = f"compiled, {str(dtype).removeprefix('torch.')}, {num_updates} updates"
        result[f"{name}: keys equal"] = torch.equal(x["key"], y["key"])
        result[f"{name}: largest difference of parameters"] = difference(x["train", "params"], y["train", "params"])
        print(json.dumps(result, indent=1), flush=True)
    write("population", {**result, "machine": machine()})


if __name__ == "__main__":
    main()
