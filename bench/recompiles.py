"""Recompilations and graph breaks of the whole PPO step over many steps with an annealed learning rate.

Claim: `torch.compile(loop.step, fullgraph=True)` captures the step as one graph, and neither it nor `frl.compile`
compiles again while values change. A graph break or a recompilation ends this program with an error.

    python bench/recompiles.py
"""

import argparse
import json

import torch
from report import machine, write

import frl


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    arguments = parser.parse_args()
    env = frl.envs.make("CartPole-v1", 4)
    networks = frl.algorithms.actor_critic(env.single_observation_spec, env.single_action_spec)
    config = frl.algorithms.PPOConfig(anneal_updates=float(arguments.steps))
    loop = frl.training.on_policy(env, frl.algorithms.ppo(networks, config), 16)
    graphs = []

    def backend(graph: torch.fx.GraphModule, _: list) -> object:
        graphs.append(graph)
        return graph.forward

    compilers = {
        "torch.compile, fullgraph=True": torch.compile(loop.step, fullgraph=True, backend=backend),
        "frl.compile": frl.compile(loop.step),
    }
    rates: dict[str, list[float]] = {}
    for name, step in compilers.items():
        state, metrics = step(loop.init(frl.random.key(0)))
        rates[name] = [metrics["learning_rate"].item()]
        with torch.compiler.set_stance("fail_on_recompile"):
            for _ in range(arguments.steps):
                state, metrics = step(state)
        rates[name].append(metrics["learning_rate"].item())
    programs = len(compilers["frl.compile"]._programs)
    result = {"steps": arguments.steps, "graphs": len(graphs), "programs": programs, "learning_rates": rates}
    assert len(graphs) == 1
    assert programs == 1
    write("recompiles", {**result, "graph_breaks": 0, "recompilations": 0, "machine": machine()})
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
