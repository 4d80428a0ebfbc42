"""Meta-gradients: a learned discount against the best fixed one of a grid.

Claim: A2C whose discount is learned by meta-gradients, from a poor start, ends as well as A2C with the best discount
of a grid. The return of the last policy after equally many environment steps and updates; seeds 0-19 of each discount,
none left out, interquartile means with 95 % bootstrap intervals.

    python bench/meta_gradient.py                     # 20 minutes on two cores; a second call goes on where one ended

The grid is one population, and the trainings that learn the discount, from two starts, are another.
"""

import argparse
import json
from pathlib import Path

import torch
from report import machine, write

import frl
from frl import TensorDict, random
from frl.algorithms import A2CConfig, a2c, actor_critic
from frl.training import (
    Loop,
    bootstrap_interval,
    evaluate,
    every,
    grid,
    interquartile_mean,
    load_latest,
    meta_gradient,
    on_policy,
    policy_gradient_reference,
    population,
    save_checkpoint,
    vary,
)

ENV, NUM_ENVS, NUM_STEPS, UPDATES = "CartPole-v1", 8, 32, 800
INNER = 3  # updates that a meta-gradient goes through; the batch that it is taken of is learned from as well
GAMMAS = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0]
STARTS = [0.5, 0.9]
EPISODES = 20


def parts():
    env = frl.envs.make(ENV, NUM_ENVS)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (32, 32))
    config = A2CConfig(learning_rate=3e-3, lambda_=0.95, entropy_cost=0.0)
    return env, networks, a2c(networks, config)


def trained(name: str, loop: Loop, gammas: list[float], updates: int, seeds: int, directory: Path) -> TensorDict:
    """The last states of all seeds of all discounts, neighbours those of one discount."""
    values, seed = grid({"gamma": gammas}, seeds)
    many = population(loop, len(seed), chunk=seeds)
    try:
        found = load_latest(directory / name)
        state, begun = found.state, found.metadata["updates"]
    except FileNotFoundError:
        state, begun = vary(many.init(random.key(seed)), values), 0
    step = frl.compile(many.step, donate=True)

    def show(done: int, state: TensorDict, metrics: TensorDict) -> None:
        returns = metrics["episode_return"].reshape(-1, seeds).mean(-1).tolist()
        gamma = state["train", "hyper", "gamma"].reshape(-1, seeds).mean(-1).tolist()
        print(name, f"{done}/{updates}", [f"{g:.3f}: {r:.1f}" for g, r in zip(gamma, returns, strict=True)], flush=True)

    period = updates // 10
    save = save_checkpoint(directory / name, keep=1)
    return frl.training.train(step, state, updates, [every(period, show), every(period, save)], start=begun)


def returns(states: TensorDict, act) -> torch.Tensor:
    """The mean return of the greedy policy of each member, [n]."""
    env = frl.envs.make(ENV, EPISODES)
    keys = random.split(random.key(1_000), len(states["step"]))
    play = frl.compile(lambda train, keys: evaluate(env, act, train, keys, EPISODES).mean(-1))
    return play(states["train"], keys)


def summary(values: torch.Tensor) -> dict[str, object]:
    low, high = bootstrap_interval(values, random.key(0), statistic=interquartile_mean)
    digits = [round(x.item(), 2) for x in (interquartile_mean(values), low, high)]
    return {"interquartile_mean": digits[0], "interval": digits[1:], "mean_return_by_seed": values.tolist()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/meta_gradient"), help="where checkpoints are kept")
    arguments = parser.parse_args()
    env, networks, algorithm = parts()
    reference = policy_gradient_reference(networks, learning_rate=3e-3)
    learning = meta_gradient(env, algorithm, reference, NUM_STEPS, INNER, ("gamma",), frl.optim.adam(0.05))
    found = {}
    for name, loop, gammas, updates in (
        ("fixed", on_policy(env, algorithm, NUM_STEPS), GAMMAS, UPDATES),
        ("learned", learning, STARTS, UPDATES // (INNER + 1)),
    ):
        states = trained(name, loop, gammas, updates, arguments.seeds, arguments.out)
        values = returns(states, algorithm.act).reshape(len(gammas), -1)
        last = states["train", "hyper", "gamma"].reshape(len(gammas), -1)
        found[name] = {str(g): summary(v) for g, v in zip(gammas, values, strict=True)}
        for row, gamma in zip(found[name].values(), last, strict=True):
            row["last_gamma"] = round(gamma.median().item(), 4)
    best = max(found["fixed"], key=lambda name: found["fixed"][name]["interquartile_mean"])
    result = {
        "env": ENV,
        "steps": UPDATES * NUM_ENVS * NUM_STEPS,
        "seeds": arguments.seeds,
        "best_fixed": best,
        **found,
    }
    print(json.dumps(result, indent=1))
    write("meta_gradient", {**result, "machine": machine()})


if __name__ == "__main__":
    main()
