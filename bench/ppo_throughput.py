"""Trained steps per second of the whole PPO step against its peers, side by side.

Claim: with PureJaxRL's configuration (128 steps, 4 epochs of 4 minibatches, two MLPs 64-64) frl's compiled step trains
faster than PureJaxRL, SB3 and CleanRL. frl and PureJaxRL step CartPole in their own tensors, the others Gymnasium's.

Every peer is a process of its own that compiles once, apart; then all take turns, each timed `--repeats` times.
PureJaxRL and frl run both with two threads and pinned to one core, and count with the better of the two.

    python bench/ppo_throughput.py --jax-python PYTHON --purejaxrl CHECKOUT --torch-python PYTHON --cleanrl CHECKOUT
"""

import argparse
import json
import sys

from report import machine, write
from side_by_side import PINNED, WORKERS, measure

UPDATES = {4: 600, 64: 40, 1024: 4}  # about 300k steps for the fast ones
SLOW_UPDATES = {4: 20, 64: 2, 1024: 1}


def commands(arguments: argparse.Namespace, num_envs: int) -> dict[str, list[str]]:
    n, fast, slow = str(num_envs), str(UPDATES[num_envs]), str(SLOW_UPDATES[num_envs])
    ours = [sys.executable, str(WORKERS / "frl_ppo.py"), n, fast]
    found = {"frl, 2 threads": [*ours, "2"], "frl, 1 core": [*PINNED, *ours, "1"]}
    if arguments.purejaxrl:
        jax = [arguments.jax_python, str(WORKERS / "purejaxrl_ppo.py"), arguments.purejaxrl, n, fast]
        found |= {"PureJaxRL, 2 threads": jax, "PureJaxRL, 1 core": [*PINNED, *jax]}
    if num_envs <= 64:
        found["SB3"] = [arguments.torch_python, str(WORKERS / "sb3_ppo.py"), n, slow, "2"]
        if arguments.cleanrl:
            found["CleanRL"] = [
                arguments.torch_python,
                str(WORKERS / "cleanrl_ppo.py"),
                arguments.cleanrl,
                n,
                slow,
                "2",
            ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--purejaxrl", help="a checkout of PureJaxRL")
    parser.add_argument("--jax-python", help="a Python with jax 0.4.30 and gymnax 0.0.8")
    parser.add_argument("--cleanrl", help="a checkout of CleanRL")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python with stable-baselines3")
    parser.add_argument("--num-envs", type=int, nargs="+", default=[4, 64, 1024])
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    rows = []
    for num_envs in arguments.num_envs:
        row = {"num_envs": num_envs, **measure(commands(arguments, num_envs), arguments.repeats)}
        rows.append(row)
        print(json.dumps(row, indent=1))
        write("ppo_throughput", {"rows": rows, "repeats": arguments.repeats, "machine": machine()})


if __name__ == "__main__":
    main()
