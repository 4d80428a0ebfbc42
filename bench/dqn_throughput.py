"""Steps per second of DQN with replay inside the compiled step against JAX's, side by side.

Claim: in the configuration of PureJaxRL's `dqn.py` (10 CartPoles, one update of 128 samples for each 10 steps, a buffer
of 10,000, two layers 120-84) frl trains as fast as the faster of PureJaxRL and rejax. frl makes 32 vector steps and
then 32 updates, the others one and one. Learning begins after 10,000 steps in all three.

    python bench/dqn_throughput.py --jax-python PYTHON --purejaxrl CHECKOUT
"""

import argparse
import json
import sys

from report import machine, write
from side_by_side import PINNED, WORKERS, measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jax-python", required=True, help="a Python with jax, gymnax, flashbax and rejax")
    parser.add_argument("--purejaxrl", required=True, help="a checkout of PureJaxRL")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    n = str(arguments.steps)
    ours = [sys.executable, str(WORKERS / "frl_dqn.py"), n]
    purejaxrl = [arguments.jax_python, str(WORKERS / "purejaxrl_dqn.py"), arguments.purejaxrl, n]
    rejax = [arguments.jax_python, str(WORKERS / "rejax_dqn.py"), n]
    commands = {
        "frl, 2 threads": [*ours, "2"],
        "frl, 1 core": [*PINNED, *ours, "1"],
        "PureJaxRL, 2 threads": purejaxrl,
        "PureJaxRL, 1 core": [*PINNED, *purejaxrl],
        "rejax, 1 core": [*PINNED, *rejax],
    }
    result = {**measure(commands, arguments.repeats), "repeats": arguments.repeats, "machine": machine()}
    write("dqn_throughput", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
