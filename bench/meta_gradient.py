"""Meta-gradients: a learned discount against the best fixed one of a grid.

Claim: A2C whose discount is learned by meta-gradients, from one that is too low, ends as well as A2C with the best
discount of a grid. UmbrellaChain pays for the first action with the last step, after rewards by chance that a low
discount cannot see beyond. What counts is the return of the last greedy policy, without the rewards by chance, after
equally many steps and updates; seeds 0-19 of each, none left out, interquartile means with 95 % bootstrap intervals.
As greedy policies soon earn all that there is, the mean return of the policy as it explores stands beside it.

    python bench/meta_gradient.py           # 5 minutes on one core; a second call goes on where the first one ended

The grid is one population, the trainings that learn the discount are another; both are vmapped in eager mode, which
is over before they would be compiled.
"""

import argparse
import json
from pathlib import Path

import torch
from report import machine, write

import frl
from frl import TensorDict, random
from frl.algorithms import A2CConfig, ActorCritic, a2c, actor_critic
from frl.envs import FunctionalEnv
from frl.envs.bsuite.umbrella_chain import UmbrellaChain, UmbrellaChainParams
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

NUM_ENVS, NUM_STEPS, UPDATES = 32, 10, 320
INNER = 3  # updates that a meta-gradient goes through, of every four
GAMMAS = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0]
STARTS = [0.7, 0.8, 0.9]
EPISODES = 40


def trained(name: str, loop: Loop, gammas: list[float], updates: int, seeds: int, directory: Path) -> TensorDict:
    """The last states of all seeds of all discounts; those of one discount are neighbours."""
    values, seed = grid({"gamma": gammas}, seeds)
    many = population(loop, len(seed))
    try:
        found = load_latest(directory / name)
        state, begun = found.state, found.metadata["updates"]
    except FileNotFoundError:
        state, begun = vary(many.init(random.key(seed)), values), 0

    def show(done: int, state: TensorDict, metrics: TensorDict) -> None:
        gamma = state["train", "hyper", "gamma"].reshape(-1, seeds).median(-1).values
        print(f"{name} {done}/{updates}", [round(x, 3) for x in gamma.tolist()], flush=True)

    save = save_checkpoint(directory / name, keep=1)
    callbacks = [every(updates // 10, show), every(updates // 10, save)]
    return frl.training.train(torch.vmap(loop.step), state, updates, callbacks, start=begun)


def returns(states: TensorDict, act) -> torch.Tensor:
    """The mean return of the greedy policy of each member, [n]: from -1 to 1, as no reward is by chance."""
    env = FunctionalEnv(UmbrellaChain(), EPISODES, max_steps=10, params=UmbrellaChainParams(noise=0.0))
    keys = random.split(random.key(1_000), len(states["step"]))
    with torch.no_grad():
        return evaluate(env, act, states["train"], keys, EPISODES).mean(-1)


def exploring(states: TensorDict, networks: ActorCritic) -> torch.Tensor:
    """The expected return of the policy of each member as it explores, [n]: from its first action, which decides."""
    beginnings = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    needed = beginnings[:, 0].to(torch.int64)

    def expected(params: TensorDict) -> torch.Tensor:
        policy = networks.distribution(params, TensorDict({"observation": beginnings}, [4]))
        return 2 * policy.probs[torch.arange(4), needed].mean() - 1

    return torch.vmap(expected)(states["train", "params", "actor"])


def summary(values: torch.Tensor) -> dict[str, object]:
    low, high = bootstrap_interval(values, random.key(0), statistic=interquartile_mean)
    digits = [round(x.item(), 3) for x in (interquartile_mean(values), low, high)]
    return {"interquartile_mean": digits[0], "interval": digits[1:]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/meta_gradient"), help="where checkpoints are kept")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    env = frl.envs.make("UmbrellaChain-v0", NUM_ENVS)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (16, 16))
    algorithm = a2c(networks, A2CConfig(learning_rate=3e-3, entropy_cost=0.0))
    reference = policy_gradient_reference(networks, gamma=1.0, lambda_=1.0, learning_rate=3e-3)
    learning = meta_gradient(env, algorithm, reference, NUM_STEPS, INNER, ["gamma"])
    found = {}
    for name, loop, gammas, updates in (
        ("fixed", on_policy(env, algorithm, NUM_STEPS), GAMMAS, UPDATES),
        ("learned", learning, STARTS, UPDATES // (INNER + 1)),
    ):
        states = trained(name, loop, gammas, updates, arguments.seeds, arguments.out)
        shape = (len(gammas), arguments.seeds)
        greedy, gamma = returns(states, algorithm.act).reshape(shape), states["train", "hyper", "gamma"].reshape(shape)
        found[name] = {
            str(g): {
                **summary(greedy[i]),
                "exploring": summary(exploring(states, networks).reshape(shape)[i]),
                "last_gamma": round(gamma[i].median().item(), 4),
                "mean_return_by_seed": [round(x, 3) for x in greedy[i].tolist()],
            }
            for i, g in enumerate(gammas)
        }
    best = max(found["fixed"], key=lambda name: found["fixed"][name]["exploring"]["interquartile_mean"])
    result = {
        "env": "UmbrellaChain-v0",
        "steps": UPDATES * NUM_ENVS * NUM_STEPS,
        "seeds": arguments.seeds,
        "best_fixed": best,
        **found,
    }
    print(json.dumps(result, indent=1))
    write("meta_gradient", {**result, "machine": machine()})


if __name__ == "__main__":
    main()
