"""Evolution strategies: CartPole-v1 by OpenAI-ES and PGPE, and a learning rate by PGPE over whole trainings.

Claims: from generations of 32 policies, either strategy solves CartPole-v1 (a mean return of at least 475 in 100
episodes of the mean policy) in the seconds that the table says, compilation apart; and PGPE over populations of A2C
trainings, from a learning rate a hundred times too small, finds one with which A2C learns Catch.

    python bench/evolution.py                         # both; seeds 0-19 of each strategy at once
    python bench/evolution.py --only policies
"""

import argparse
import json
import math
import time
from pathlib import Path

import torch
from report import machine, write

import frl
from frl import TensorDict, optim, random
from frl.algorithms import a2c, actor_critic
from frl.training import bootstrap_interval, evaluate, evolution, interquartile_mean, on_policy, population, vary

CANDIDATES, EPISODES, GENERATIONS = 32, 2, 60
STRATEGIES = {
    "OpenAI-ES": optim.openai_es(CANDIDATES, learning_rate=0.4, sigma=0.5),
    "PGPE": optim.pgpe(CANDIDATES, learning_rate=0.4, sigma=0.5),
}


def policies(strategy: optim.Evolution, seeds: int) -> dict[str, object]:
    """All seeds at once, for a fixed number of generations; then 100 episodes of each mean policy."""
    env = frl.envs.make("CartPole-v1", EPISODES)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (16,))
    loop = population(evolution(env, networks.actor, strategy), seeds)
    step = frl.compile(loop.step, donate=True)
    state = loop.init(random.key(torch.arange(seeds)))
    step(loop.init(random.key(torch.arange(seeds))))  # compiles
    began = time.perf_counter()
    for generation in range(GENERATIONS):
        state, metrics = step(state)
        if generation % 10 == 9:
            print(generation + 1, metrics["fitness"].tolist(), flush=True)
    seconds = time.perf_counter() - began

    def act(train: TensorDict, td: TensorDict, explore: bool) -> TensorDict:
        return networks.act(train["mean"], td, None, explore)

    with torch.no_grad():
        test = frl.envs.make("CartPole-v1", 100)
        returns = evaluate(test, act, state["train"], random.key(1_000 + torch.arange(seeds)), 100).mean(-1)
    low, high = bootstrap_interval(returns, random.key(0), statistic=interquartile_mean)
    return {
        "interquartile_mean": round(interquartile_mean(returns).item(), 1),
        "interval": [round(low.item(), 1), round(high.item(), 1)],
        "seeds_of_at_least_475": int((returns >= 475).sum()),
        "median_steps": int(state["step"].median()),
        "seconds_of_all_seeds": round(seconds, 1),
        "mean_return_by_seed": [round(x, 1) for x in returns.tolist()],
    }


def trainings(seeds: int, num_candidates: int = 8, generations: int = 12, updates: int = 150) -> dict[str, object]:
    """PGPE over the logarithm of A2C's learning rate; the fitness is what trainings of all seeds have come to."""
    env = frl.envs.make("Catch-v0", 8)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (16,))
    n = num_candidates * seeds
    loop = population(on_policy(env, a2c(networks), 9), n)
    step = frl.compile(loop.step, donate=True)

    def outcome(log_rate: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        """The mean return of the last episodes of each candidate [c] over the same seeds."""
        keys = random.split(key, seeds).repeat(len(log_rate), 1)
        states = vary(loop.init(keys), {"learning_rate": log_rate.exp().repeat_interleave(seeds)})
        recent = []
        for _ in range(updates):
            states, metrics = step(states)
            recent = [*recent[-9:], metrics["episode_return"]]
        return torch.stack(recent).mean(0).reshape(len(log_rate), seeds).mean(-1)

    strategy = optim.pgpe(num_candidates, learning_rate=0.5, sigma=1.0)
    state = strategy.init({"log_rate": torch.tensor(math.log(1e-4))})
    path = []
    for key in random.split(random.key(0), generations):
        k_ask, k_train = random.split(key)
        candidates = strategy.ask(state, k_ask)
        fitness = outcome(candidates["log_rate"], k_train)
        state = strategy.tell(state, candidates, fitness)
        path.append({"learning_rate": state["mean", "log_rate"].exp().item(), "fitness": fitness.mean().item()})
        print(path[-1], flush=True)
    final = state["mean", "log_rate"].expand(num_candidates // 2)
    fresh = outcome(torch.cat([torch.full_like(final, math.log(1e-4)), final]), random.key(1)).chunk(2)
    return {
        "generations": path,
        "trainings": n * generations,
        "return_at_the_start": round(fresh[0].mean().item(), 3),
        "return_at_the_end": round(fresh[1].mean().item(), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["policies", "trainings"])
    parser.add_argument("--seeds", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    kept = Path(__file__).parent / "results" / "evolution.json"
    result = json.loads(kept.read_text()) if kept.exists() else {}
    if arguments.only != "trainings":
        result["CartPole-v1"] = {name: policies(strategy, arguments.seeds) for name, strategy in STRATEGIES.items()}
    if arguments.only != "policies":
        result["A2C's learning rate on Catch-v0"] = trainings(8)
    print(json.dumps(result, indent=1))
    write("evolution", {**result, "seeds": arguments.seeds, "machine": machine()})


if __name__ == "__main__":
    main()
