"""The Decision Transformer learns CartPole from the episodes of PPO alone, and reaches a mean return of at least 400.

    python bench/decision_transformer.py [--num-seeds 3] [--threads 2]

For each seed: PPO with the command line's defaults is trained; episodes of its policy, sampled, are taken when a tenth,
a quarter and all of the training is done, so that the data hold returns of many sizes; the transformer learns from them
offline; and it is evaluated on CartPole, asked for 500. That it was also told what the worse episodes returned shows
when it is asked for less. A step of the transformer's loop is one compiled function of its state.
"""

import argparse
import json
import time

import torch
from report import machine, write

import frl
from frl import TensorDict, random, tree
from frl.algorithms import DTConfig, decision_transformer
from frl.cli.build import build, compiled_step, initial_state
from frl.cli.options import read_options
from frl.collectors import collect, start
from frl.envs import make
from frl.nn import DecisionTransformer, DecisionTransformerActor
from frl.replay import return_conditioned, sequence
from frl.training import evaluate, offline, train
from frl.transforms import Compose, InitTracker, TargetReturn, TransformedEnv, make_tensordict_primer

ENV, EPISODES, LIMIT = "CartPole-v1", 100, 500
PARTS = {0.1: 50, 0.25: 50, 1.0: 100}  # of PPO's training, and the episodes that are taken then
NETWORK = {"embed_dim": 64, "num_layers": 2, "num_heads": 1, "max_steps": LIMIT, "return_scale": 500.0}
CONTEXT, BATCH, UPDATES, AT_ONCE, CAPACITY = 20, 64, 2000, 50, 100_000
CONFIG = DTConfig()
MUST = 400.0


def ppo_snapshots(num_seeds: int):
    """PPO's training states, those of all seeds at once, after each of PARTS, and the algorithm."""
    options = read_options("ppo", ["--env", ENV, "--num-seeds", str(num_seeds)])
    training = build("ppo", options)
    step, state, done, found = compiled_step(training, options), initial_state(training, options), 0, {}
    for part in PARTS:
        updates = round(part * options.num_updates)
        state, done = train(step, state, updates, start=done), updates
        found[part] = state["train"] if num_seeds > 1 else tree.map(lambda x: x.unsqueeze(0), state["train"])
    return training.algorithm, found


def member(population: TensorDict, seed: int) -> TensorDict:
    return tree.map(lambda x: x[seed], population)


def episodes(algorithm, snapshots, seed: int) -> tuple[TensorDict, dict]:
    """The first episode of each environment under the policy of each snapshot, [M], and the mean return of each."""
    taken, returns = [], {}
    for part, count in PARTS.items():
        env = make(ENV, count)
        k_env, k_collect = random.split(random.fold_in(random.key(seed), int(100 * part)))
        policy = member(snapshots[part], seed)
        _, batch = collect(env, algorithm.act, policy, start(env, k_env), k_collect, LIMIT)
        ended = (batch["next", "terminated"] | batch["next", "truncated"]).squeeze(-1)
        first = ended.int().cumsum(-1) - ended.int() == 0
        returns[str(part)] = round(first.sum(-1).float().mean().item(), 1)
        taken.append(return_conditioned(batch[first]))  # one episode after the other
    steps = torch.cat(taken).select("observation", "action", "return_to_go", "time", "next")
    return steps.exclude(("next", "observation"), ("next", "episode_return"), ("next", "episode_length")), returns


def evaluated(actor, algorithm, state: TensorDict, wanted: float, seed: int) -> torch.Tensor:
    env = TransformedEnv(
        make(ENV, EPISODES), Compose(InitTracker(), TargetReturn(wanted), make_tensordict_primer(actor))
    )
    with torch.no_grad():
        return evaluate(env, algorithm.act, state["train"], random.key(1000 + seed), EPISODES)


def learnt(algorithm_ppo, snapshots, seed: int) -> dict:
    """One seed: its data, its training and its returns."""
    data, data_returns = episodes(algorithm_ppo, snapshots, seed)
    env = make(ENV)
    with torch.random.fork_rng():
        actor = DecisionTransformerActor(DecisionTransformer(4, 2, **NETWORK), env.single_action_spec, CONTEXT)
    algorithm = decision_transformer(actor, CONFIG)
    loop = offline(algorithm, sequence(CAPACITY, BATCH, CONTEXT), data, AT_ONCE)
    state, step, losses = loop.init(random.key(seed)), frl.compile(loop.step), []
    begin = time.perf_counter()
    state, metrics = step(state)
    compiled = time.perf_counter()
    losses.append(metrics["loss"].item())
    record = lambda updates, state, metrics: losses.append(metrics["loss"].item())  # noqa: E731
    state = train(step, state, UPDATES // AT_ONCE, [record], start=1)
    trained = time.perf_counter()
    returns = {wanted: evaluated(actor, algorithm, state, wanted, seed) for wanted in (500.0, 100.0)}
    return {
        "steps of data": data.numel(),
        "mean return of the data, by part of PPO's training": data_returns,
        "loss, first and last": [round(losses[0], 4), round(losses[-1], 4)],
        "mean return, asked for 500": round(returns[500.0].mean().item(), 1),
        "least return, asked for 500": returns[500.0].min().item(),
        "mean return, asked for 100": round(returns[100.0].mean().item(), 1),
        "seconds": {
            "first step with compilation": round(compiled - begin, 1),
            "other steps": round(trained - compiled, 1),
            "evaluations": round(time.perf_counter() - trained, 1),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    begin = time.perf_counter()
    algorithm, snapshots = ppo_snapshots(arguments.num_seeds)
    print(f"PPO, {arguments.num_seeds} seeds: {time.perf_counter() - begin:.0f} s", flush=True)
    seeds = {}
    for seed in range(arguments.num_seeds):
        seeds[str(seed)] = learnt(algorithm, snapshots, seed)
        print(f"seed {seed}:", json.dumps(seeds[str(seed)], indent=1), flush=True)
    means = [result["mean return, asked for 500"] for result in seeds.values()]
    config = {"env": ENV, "episodes": PARTS, "network": NETWORK, "context": CONTEXT, "batch_size": BATCH}
    config |= {"updates": UPDATES, "algorithm": CONFIG._asdict(), "evaluation episodes": EPISODES}
    holds = len(means) >= 3 and min(means) >= MUST
    print(f"mean returns {means}, claimed at least {MUST} of each of 3 seeds: {'holds' if holds else 'FAILS'}")
    result = {"seeds": seeds, "least mean return": min(means), "must": MUST, "config": config}
    write("decision_transformer", {**result, "seconds": round(time.perf_counter() - begin), "machine": machine()})
    raise SystemExit(not holds)


if __name__ == "__main__":
    main()
