"""CleanRL's `ppo.py`, unchanged, as a worker of `bench/ppo_throughput.py`; it times itself, without its start-up.

Usage: python cleanrl_ppo.py CHECKOUT NUM_ENVS NUM_UPDATES THREADS, then one line on standard input for each timed run.
"""

import json
import os
import subprocess
import sys
import tempfile


def main() -> None:
    checkout, num_envs, num_updates, threads = sys.argv[1], *(int(argument) for argument in sys.argv[2:5])
    steps = num_envs * 128 * num_updates
    command = [sys.executable, f"{checkout}/cleanrl/ppo.py", f"--num-envs={num_envs}", f"--total-timesteps={steps}"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    print(json.dumps({"compile": 0.0}), flush=True)
    for _ in sys.stdin:
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=True)
        rate = int([line for line in done.stdout.splitlines() if line.startswith("SPS:")][-1].split()[1])
        print(json.dumps({"seconds": steps / rate, "steps": steps}), flush=True)


main()
