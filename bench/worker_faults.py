"""Claim: whatever happens to a worker of `ParallelEnv` or a collector is reported in time, and nothing is left behind.

    python bench/worker_faults.py --faults 200 --parents 20 [--of sync] [--method forkserver] [--timeout 1] [--out FILE]

Each fault is planted in one of two workers: it is killed (SIGKILL), crashes (SIGSEGV), exits, raises, hangs or is
stopped (SIGSTOP), while its environment is made, in a reset, in a step, or idle between two steps. It must be reported
by name within 1 s of happening, a hang or a stop within 1 s of the timeout. Then the processes of both workers must be
gone from the process table, and this process must hold no more open files and shared memory than before; nor may
/dev/shm. Each parent is a process with two workers that is killed (SIGKILL) at a random moment; they must be gone
within 1 s.
"""

import argparse
import gc
import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import torch
from report import machine

from frl.collectors import MultiAsyncCollector, MultiSyncCollector
from frl.envs import GymWrapper, ParallelEnv, WorkerDied, WorkerError, WorkerRaised, WorkerTimeout

LIMIT = 1.0
EXPECTED = {
    "kill": WorkerDied,
    "crash": WorkerDied,
    "exit": WorkerDied,
    "raise": WorkerRaised,
    "hang": WorkerTimeout,
    "stop": WorkerTimeout,
}
SIGNALS = {"kill": signal.SIGKILL, "crash": signal.SIGSEGV, "stop": signal.SIGSTOP}
CASES = [
    (how, where)
    for how, where in itertools.product(EXPECTED, ("construct", "reset", "step", "idle"))
    if where != "idle" or how in SIGNALS
]


class Planted(gymnasium.Env):
    """Keeps its process id in a file, and does `how` at `where`, having kept the time of it in another."""

    observation_space = gymnasium.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, directory, worker, how, where, num_honest):
        self.directory, self.worker, self.how, self.where, self.resets = Path(directory), worker, how, where, 0
        self.num_honest = num_honest
        (self.directory / f"pid{worker}").write_text(str(os.getpid()))
        self.reach("construct")

    def reach(self, where):
        if self.worker == 1 and where == self.where:
            stamp(self.directory)
            commit(self.how, os.getpid())

    def reset(self, *, seed=None, options=None):
        self.resets += 1
        if self.resets > self.num_honest:
            self.reach("reset")
        return np.zeros(3, np.float32), {}

    def step(self, action):
        self.reach("step")
        return np.zeros(3, np.float32), 1.0, False, False, {}


def stamp(directory):
    (directory / "time").write_text(str(time.monotonic()))


def commit(how, pid):
    if how in SIGNALS:
        os.kill(pid, SIGNALS[how])
    elif how == "exit":
        os._exit(3)
    elif how == "raise":
        raise LookupError("planted")
    else:
        time.sleep(3600)


def planted(directory, worker, how, where, num_honest=1):
    """num_honest: resets without the fault; that of a `ParallelEnv` at its construction is one."""
    return GymWrapper(Planted(directory, worker, how, where, num_honest))


class Stepped:
    """A `ParallelEnv`, asked step by step."""

    def __init__(self, create, options):
        self.env = ParallelEnv(2, create, mp_start_method=options.method, timeout=options.timeout)
        self.pool = self.env._pool
        self.td = self.env.rand_action(self.env.reset())

    def go_on(self):
        self.td = self.env.rand_action(self.env.step_and_reset(self.td)[1])


class Collected:
    """A collector, asked batch by batch: it meets what is planted in a reset at once, and the rest in a batch."""

    def __init__(self, create, options):
        kind = COLLECTORS[options.of]
        kind.timeout = options.timeout
        self.collector = kind(create, frames_per_batch=20, mp_start_method=options.method)
        self.pool = self.collector._pool
        self.batches = iter(self.collector)
        self.go_on()

    def go_on(self):
        for _ in range(4):  # of an asynchronous one, until it is the turn of either worker
            next(self.batches)


COLLECTORS = {"sync": MultiSyncCollector, "async": MultiAsyncCollector}


def subject(create, options):
    return (Collected if options.of in COLLECTORS else Stepped)(create, options)


def meet(directory, how, where, options):
    """Runs into the fault: the error, and how many seconds after it the report came."""
    honest = 0 if options.of in COLLECTORS else 1
    create = [partial(planted, str(directory), worker, how, where, honest) for worker in range(2)]
    try:
        one = subject(create, options)
        if where == "idle":
            stamp(directory)
            commit(how, int((directory / "pid1").read_text()))
            time.sleep(0.02)
            stamp(directory)  # it cannot be known of before the next step
        one.go_on()
    except WorkerError as error:
        return error, time.monotonic() - float((directory / "time").read_text())
    raise SystemExit(f"{how} in {where} was not reported")


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def left_of(pids, seconds):
    """How many of the processes there still are, after so many seconds at most."""
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.005)
    return sum(map(alive, pids))


def held():
    gc.collect()
    maps = Path("/proc/self/maps").read_text().count("memfd:frl")
    return {"files": len(os.listdir("/proc/self/fd")), "maps": maps, "shm": len(os.listdir("/dev/shm"))}


def faults(options):
    draw = random.Random(options.seed)
    rows, wrong, orphans = [], [], 0
    before = None
    for i in range(options.faults):
        how, where = CASES[i % len(CASES)] if i < len(CASES) else draw.choice(CASES)
        with tempfile.TemporaryDirectory() as directory:
            error, seconds = meet(Path(directory), how, where, options)
            pids = [int(path.read_text()) for path in Path(directory).glob("pid*")]
        seconds -= options.timeout if EXPECTED[how] is WorkerTimeout else 0
        if type(error) is not EXPECTED[how] or error.worker != 1 or seconds > LIMIT:
            wrong.append(f"{how} in {where} after {seconds:.3f} s: {error}")
        del error
        orphans += left_of(pids, 2.0)
        rows.append((EXPECTED[how].__name__, seconds))
        before = before or held()  # the first starts the fork server, which stays
        if i % 20 == 19:
            print(f"{i + 1} faults, {len(wrong)} not as they should be", file=sys.stderr)
    after = held()
    late = {
        kind.__name__: summary([seconds for name, seconds in rows if name == kind.__name__])
        for kind in (WorkerDied, WorkerRaised, WorkerTimeout)
    }
    leaks = {name: after[name] - before[name] for name in after}
    return {"faults": len(rows), "not_as_expected": wrong, "orphans": orphans, "leaks": leaks, "seconds": late}


def summary(seconds):
    if not seconds:
        return None
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    figures = {"median": statistics.median(ordered), "p99": p99, "max": ordered[-1]}
    return {"count": len(ordered), **{name: round(value, 4) for name, value in figures.items()}}


def child(options):
    """A process that asks two workers until it is killed."""
    one = subject([partial(planted, os.environ["FRL_PIDS"], 0, "none", "nowhere")] * 2, options)
    print(*[process.pid for process in one.pool._processes], flush=True)
    while True:
        one.go_on()


def parents(options):
    draw, orphans, seconds = random.Random(options.seed), 0, []
    for _ in range(options.parents):
        with tempfile.TemporaryDirectory() as directory:
            words = [sys.executable, __file__, "--child", "--of", options.of, "--method", options.method]
            process = subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "FRL_PIDS": directory})
            pids = [int(word) for word in process.stdout.readline().split()]
            time.sleep(draw.uniform(0, 0.2))
            process.kill()
            begin = time.monotonic()
            process.wait()
            orphans += left_of(pids, LIMIT)
            seconds.append(time.monotonic() - begin)
            process.stdout.close()
    return {"parents": options.parents, "orphans": orphans, "seconds": summary(seconds)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--parents", type=int, default=20)
    parser.add_argument("--of", choices=("env", *COLLECTORS), default="env")
    parser.add_argument("--method", choices=("forkserver", "fork", "spawn"), default="forkserver")
    parser.add_argument("--timeout", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.child:
        child(options)
    report = {
        "claim": "every fault of a worker is reported within 1 s (a hang: of the timeout), nothing is left behind",
        "of": options.of,
        "method": options.method,
        "timeout": options.timeout,
        "workers": faults(options),
        "killed_parents": parents(options),
        "machine": machine(),
    }
    print(json.dumps(report, indent=2))
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n")
    workers = report["workers"]
    clean = not workers["not_as_expected"] and not workers["orphans"] and not any(workers["leaks"].values())
    return 0 if clean and not report["killed_parents"]["orphans"] else 1


if __name__ == "__main__":
    sys.exit(main())
