"""Meta-learning: what one and three gradient steps gain on tasks that were never trained on.

On 200 held-out tasks, for each of 5 meta-seeds: how much higher the return of a policy that MAML trained is after one
and after three adaptations than before, than after those of first-order MAML, and than that of a policy trained on the
same tasks together by PPO (domain randomisation) and then fine-tuned by as many steps. All train on as many environment
steps, but that PPO may stop at an eighth, a quarter or half of them, as it loses the spread by which a policy adapts.
Where it stops, and for each of the three how long the first step of adaptation is and how long the later ones, is what
does best on tasks that serve nothing else. Returns are of whole episodes, of policies that act by chance, as they do in
training. Differences are paired by task and seed; the interval is a bootstrap over seeds and, in each, over tasks.

    python bench/maml.py                       # both worlds, all parts; goes on where it was stopped
    python bench/maml.py --world navigation --part maml      # one part alone, to the same figures

Worlds: point navigation (a goal in the plane, by its distance alone) for 20 steps; and CartPole with pole, masses and
motor drawn anew, the motor in either direction, by 50 steps, where episodes last 200. There the cart starts up to 1 m
off the middle at up to 1 m/s: else its speed and place would soon tell the motor's direction, and a policy could do
without adaptation.
"""

import argparse
import contextlib
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from report import machine, write
from torch import Tensor

import frl
from frl import TensorDict, random, tree
from frl.algorithms import MAMLConfig, MetaAlgorithm, PPOConfig, actor_critic, maml, ppo
from frl.collectors import collect, start
from frl.envs import Env, FunctionalEnv, RandomizedEnv, uniform_tasks
from frl.envs.classic import CartPole
from frl.envs.navigation import PointNavigation
from frl.tensordict import scalar
from frl.training import adapt, few_shot, load_latest, on_policy, save
from frl.transforms import RewardScaling, TransformedEnv

SEEDS, HELD_OUT, HELD_OUT_KEY, VALIDATION, TASKS, ROWS, EXAM = 5, 200, 11, 100, 20, 10, 5
FRACTIONS = (0.125, 0.25, 0.5, 1.0)  # of the budget, after which PPO may stop
RATES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 3.0)  # of the first adaptation, relative to that which MAML trained with
LATER = (1.0, 0.5, 0.3, 0.1)  # of the later ones, relative to the first
PARTS = ("maml", "first_order", "fine_tuning")
AFTER = (0, 1, 3)


class World(NamedTuple):
    """An environment by its number of rows, the length of its episodes, its tasks, what is learnt with, and how long.

    `budget` counts the environment steps of each meta-seed, `adaptations` those which MAML trains.
    """

    env: Callable[[int], FunctionalEnv]
    num_steps: int
    tasks: Callable[[Tensor], Any]
    config: MAMLConfig
    budget: int
    adaptations: int


class Anywhere(CartPole):
    """CartPole that starts up to 1 m off the middle, at up to 1 m/s."""

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        high = torch.tensor([1.0, 1.0, 0.05, 0.05], dtype=self.dtype)
        return random.uniform(4, rng, low=-1.0, high=1.0, dtype=self.dtype) * high


def navigation() -> World:
    half = torch.full((2,), 0.5)
    base = PointNavigation()
    tasks = uniform_tasks(base.get_default_params(), {"goal": (-half, half)})
    config = MAMLConfig(num_epochs=5, inner_rate=0.2, learning_rate=3e-3, anneal_updates=200.0, gamma=0.5)
    return World(lambda rows: FunctionalEnv(base, rows, max_steps=20), 20, tasks, config, 1_600_000, 1)


def cartpole() -> World:
    base = Anywhere()
    ranges = {"length": (0.25, 1.0), "masspole": (0.05, 0.5), "masscart": (0.5, 2.0), "force_mag": (5.0, 15.0)}
    physics = uniform_tasks(base.get_default_params(), ranges)

    def tasks(key: Tensor) -> Any:
        k_physics, k_motor = random.split(key)
        drawn = physics(k_physics)
        return drawn._replace(force_mag=torch.where(random.bernoulli(0.5, k_motor), 1, -1) * drawn.force_mag)

    config = MAMLConfig(num_epochs=4, inner_rate=2.0, learning_rate=5e-3, gamma=0.95)
    return World(lambda rows: FunctionalEnv(base, rows, max_steps=200), 50, tasks, config, 1_000_000, 1)


WORLDS = {"navigation": navigation, "cartpole": cartpole}


def scaled(env: Env) -> Env:
    """Of returns that are small enough for a value network without more ado."""
    return TransformedEnv(env, RewardScaling(0.0, 0.1))


def networks(world: World) -> Any:
    env = world.env(1)
    return actor_critic(env.single_observation_spec, env.single_action_spec)


def algorithm_of(world: World, part: str) -> MetaAlgorithm:
    return maml(networks(world), world.config._replace(second_order=part != "first_order"))


def loop_of(world: World, part: str) -> frl.training.Loop:
    if part == "fine_tuning":
        env = RandomizedEnv(scaled(world.env(TASKS * ROWS)), world.tasks)
        config = PPOConfig(learning_rate=2.5e-3, gamma=world.config.gamma, value_clip=math.inf)
        return on_policy(env, ppo(networks(world), config), world.num_steps)
    env, algorithm = scaled(world.env(ROWS)), algorithm_of(world, part)
    return few_shot(env, algorithm, world.tasks, TASKS, world.num_steps, world.adaptations)


def train(world: World, part: str, directory: Path) -> dict[float, list[TensorDict]]:
    """The states of all meta-seeds after each fraction of the budget at which this part may stop."""
    loop = loop_of(world, part)
    step = frl.compile(loop.step, donate=True)
    found = dict[float, list[TensorDict]]()
    states = [loop.init(random.key(seed)) for seed in range(SEEDS)]
    for fraction in FRACTIONS if part == "fine_tuning" else (1.0,):
        budget = int(fraction * world.budget)
        states = [trained(s, step, budget, directory / f"{seed}_{fraction}") for seed, s in enumerate(states)]
        found[fraction] = [tree.map(torch.clone, state) for state in states]
    return found


def trained(state: TensorDict, step: Callable[..., Any], budget: int, directory: Path) -> TensorDict:
    """After as many environment steps as `budget`, or, of what was stopped, from there on."""
    with contextlib.suppress(FileNotFoundError):
        state = load_latest(directory).state
    updates, begun = 0, time.process_time()
    while (done := int(state["step"])) < budget:
        state, metrics = step(state)
        updates += 1
        if updates % 10 == 0 or int(state["step"]) >= budget:
            save(directory, tree.map(torch.clone, state), step=int(state["step"]), keep=1)
            shown = {name: x.item() for name, x in metrics.items() if "return" in name or name == "entropy"}
            print(directory, done, {k: round(x, 2) for k, x in shown.items()}, flush=True)
    print(f"{directory}: {time.process_time() - begun:.0f} s of processor time", flush=True)
    return state


def examination(world: World) -> Callable[..., Tensor]:
    """`returns(params, rates, key, num_tasks, last) -> [len(AFTER), num_tasks]` of one policy.

    `rates` are that of the first adaptation, and that of the later ones relative to it; none comes after `last`.
    """
    algorithm, env, exam = algorithm_of(world, "maml"), scaled(world.env(ROWS)), world.env(EXAM)

    def score(train: TensorDict, k_task: Tensor, key: Tensor) -> Tensor:
        k_start, k_steps = random.split(key)
        inside = exam.with_params(world.tasks(k_task))
        after = collect(inside, algorithm.act, train, start(inside, k_start), k_steps, exam.max_steps)[1]["next"]
        reward, done = scalar(after, "reward"), scalar(after, "done").int()
        return torch.where(done.cumsum(-1) == done, reward, 0.0).sum(-1).mean()  # of the first episode of each row

    def learn(train: TensorDict, k_task: Tensor, key: Tensor) -> TensorDict:
        return adapt(env, algorithm, train, world.tasks(k_task), key, world.num_steps)

    def returns(
        params: TensorDict, rates: tuple[float, float], key: Tensor, num_tasks: int, last: int = max(AFTER)
    ) -> Tensor:
        k_tasks, key = random.split(key)
        train = algorithm.init(key).set("params", params)
        train = tree.map(lambda x: x.expand(num_tasks, *x.shape), train)
        tasks, scores = random.split(k_tasks, num_tasks), list[Tensor]()
        for i, k in enumerate(random.split(key, max(AFTER) + 1)[: last + 1]):
            k_adapt, k_exam = random.split(random.split(k, num_tasks), 2)
            rate = torch.full((num_tasks,), rates[0] if i == 1 else rates[0] * rates[1])
            train = torch.vmap(learn)(train.set(("hyper", "inner_rate"), rate), tasks, k_adapt) if i else train
            if i in AFTER:
                scores.append(torch.vmap(score)(train, tasks, k_exam))
        return torch.stack(scores)

    return returns


def examined(world: World, states: dict[float, list[TensorDict]]) -> dict[str, Any]:
    """Returns [seeds, len(AFTER), HELD_OUT], where training stopped, and the rates of adaptation."""
    returns, own = examination(world), world.config.inner_rate
    policies = {fraction: [state["train", "params"] for state in found] for fraction, found in states.items()}

    def score(fraction: float, rates: tuple[float, float], last: int) -> float:
        """After so many adaptations, by other tasks, of the first two meta-seeds."""
        chosen = policies[fraction][:2]
        return sum(returns(p, rates, random.key(1), VALIDATION, last)[-1].mean().item() for p in chosen) / len(chosen)

    firsts = {(f, own * rate): score(f, (own * rate, 1.0), 1) for f in policies for rate in RATES}
    fraction, first = max(firsts, key=lambda candidate: firsts[candidate])
    laters = {later: score(fraction, (first, later), max(AFTER)) for later in LATER}
    rates = first, max(laters, key=lambda later: laters[later])
    print(firsts, laters, flush=True)
    found = [returns(policy, rates, random.key(HELD_OUT_KEY), HELD_OUT).tolist() for policy in policies[fraction]]
    return {"rates": [round(rate, 4) for rate in rates], "steps": int(states[fraction][0]["step"]), "returns": found}


def interval(differences: Tensor) -> dict[str, Any]:
    """The mean of [seeds, tasks] and its 95 % interval: seeds are drawn anew and, in each, tasks."""
    resamples, (seeds, tasks) = 5000, differences.shape
    k_seeds, k_tasks = random.split(random.key(0))
    rows = random.randint(0, seeds, (resamples, seeds, 1), k_seeds)
    columns = random.randint(0, tasks, (resamples, seeds, tasks), k_tasks)
    means = differences[rows, columns].mean((1, 2))
    low, high = torch.quantile(means, torch.tensor([0.025, 0.975])).tolist()
    return {"mean": round(differences.mean().item(), 2), "interval": [round(low, 2), round(high, 2)]}


def summary(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Of the parts that are done."""
    returns = {part: torch.tensor(found[part]["returns"]) for part in found}
    result: dict[str, Any] = {
        "environment steps of each meta-seed": {part: found[part]["steps"] for part in found},
        "rates of adaptation, the first and the later relative to it": {part: found[part]["rates"] for part in found},
    }
    for part in found:
        means = {f"after {n}": round(returns[part][:, i].mean().item(), 2) for i, n in enumerate(AFTER)}
        result[f"return: {part}"] = means
    for i, n in enumerate(AFTER[1:], 1):
        now = returns["maml"][:, i]
        result[f"after {n}, over before"] = interval(now - returns["maml"][:, 0])
        for part in [part for part in found if part != "maml"]:
            result[f"after {n}, over {part}"] = interval(now - returns[part][:, i])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", choices=WORLDS, action="append")
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--out", type=Path, default=Path("runs/maml"), help="what is kept of unfinished work")
    arguments = parser.parse_args()
    for name in arguments.world or WORLDS:
        world = WORLDS[name]()
        for part in arguments.part or PARTS:
            file = arguments.out / f"{name}_{part}.json"
            if not file.exists():
                states = train(world, part, arguments.out / f"{name}_{part}")
                file.write_text(json.dumps(examined(world, states)))
    files = {name: {part: arguments.out / f"{name}_{part}.json" for part in PARTS} for name in WORLDS}
    found = {n: {p: json.loads(f.read_text()) for p, f in parts.items() if f.exists()} for n, parts in files.items()}
    result = {name: summary(parts) for name, parts in found.items() if "maml" in parts}
    print(json.dumps(result, indent=1))
    sizes = {"meta-seeds": SEEDS, "held-out tasks": HELD_OUT, "tasks of an update": TASKS, "environments": ROWS}
    write("maml", {**sizes, **result, "machine": machine()})


if __name__ == "__main__":
    main()
