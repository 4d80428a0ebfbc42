"""How long a newcomer waits for the compilation of one PPO step: with cold caches, and in the next process.

    python bench/compile_time.py [--num-envs 64] [--repeats 5]

Claim: in PureJaxRL's configuration (128 steps, 4 epochs of 4 minibatches, two MLPs 64-64) the step compiles in at most
25 s beyond a trivial `torch.compile`, and in a second process, from the caches, in at most 4 s.

Cold: a process with empty caches (Inductor's and that of precompiled headers) compiles `x + 1` by `torch.compile`, then
the step. Warm: another process with the same caches compiles the step alone, and a third one `x + 1` alone: most of
either is the import of torch's compiler. Wall-clock seconds of the first call, on one thread of torch.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from report import machine, write

STEP = Path(__file__).parent / "compile_step.py"
TRIVIAL = (
    "import time, torch; x = torch.ones(3); t = time.perf_counter(); "
    "torch.compile(lambda x: x + 1)(x); print(time.perf_counter() - t)"
)


def first_call(num_envs: int, directory: str, *flags: str) -> dict:
    command = [sys.executable, str(STEP), "--num-envs", str(num_envs), "--updates", "5", *flags]
    return json.loads(run(command, directory))


def run(command: list[str], directory: str) -> str:
    environment = {**os.environ, "TMPDIR": directory, "TORCHINDUCTOR_CACHE_DIR": f"{directory}/cache"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {"trivial, cold": [], "step, cold": [], "step, warm": [], "trivial, warm": []}
    for _ in range(arguments.repeats):
        with tempfile.TemporaryDirectory() as directory:
            cold = first_call(arguments.num_envs, directory, "--trivial")
            warm = first_call(arguments.num_envs, directory)
            trivial = float(run([sys.executable, "-c", TRIVIAL], directory))
        found = (cold["trivial_clock_s"], cold["compile_clock_s"], warm["compile_clock_s"], trivial)
        for name, value in zip(seconds, found, strict=True):
            seconds[name].append(round(value, 1))
        print({name: values[-1] for name, values in seconds.items()}, flush=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    result = {"median_s": medians, "seconds": seconds, "num_envs": arguments.num_envs, "machine": machine()}
    write("compile_time", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
