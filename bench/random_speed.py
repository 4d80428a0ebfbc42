"""The claim: explicit keys cost no time beside `torch.rand`, and `frl.random`'s hash compiles faster than any rival.

    python bench/random_speed.py

For each generator: the operations of one word in the graph; that graph's size as a tree, which is what Inductor visits
(it stores a value that is used twice only once it holds 30 operations); the processor time to compile (after a first
compilation, caches off) 2**18 uniforms and one step's draws: three split keys, 256 uniforms, 64 normals, 64 integers;
and the time of 2**18 uniforms. One thread.
"""

import json
import platform
import time
from pathlib import Path

import torch
import torch._inductor.config
from random_mixers import MIXERS
from report import quartiles
from torch.fx.experimental.proxy_tensor import make_fx

from frl import random as R

N = 2**18
KEY = R.key(0)
RIVALS = ("frl", "feistel-lowbias32", "squares32", "philox2x32-7", "threefry2x32-12")


def visits(block):
    """Operations in the graph of one word, and in its expansion to a tree."""
    graph = make_fx(lambda *x: block(*x)[0])(*torch.arange(3)).graph
    graph.eliminate_dead_code()
    size = {}
    for node in graph.nodes:
        size[node] = 1 + sum(size[argument] for argument in node.all_input_nodes)
    operations = [node for node in graph.nodes if node.op == "call_function"]
    return len(operations), size[operations[-1]]


def programs(block):
    """(2**18 uniforms, one step's draws) on `block`, each a function of a key."""

    def pair(shape, key):
        return block(key[0], key[1], torch.arange(shape))

    def uniform(shape, key):
        return (pair(shape, key)[0] >> 8).float() * 2.0**-24

    def step(key):
        first, second, third = torch.stack(block(key[0], ~key[1] & R._MASK, torch.arange(3)), -1)
        (a, b), (c, d) = pair(64, second), pair(64, third)
        normal = torch.sqrt(-2 * torch.log((a + 1).float() * 2.0**-32)) * torch.cos(b.float() * 1.4629180792671596e-9)
        return uniform(256, first), normal, (c >> 1) * 10 + ((d >> 1) * 10 >> 31) >> 31

    return lambda key: uniform(N, key), step


def compiled(program):
    """The compiled program, and the processor time of its first call."""
    torch._dynamo.reset()
    fast = torch.compile(program, fullgraph=True)
    start = time.process_time()
    fast(KEY)
    return fast, round(time.process_time() - start, 2)


def microseconds(call, repeats=201):
    """Median and quartiles."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e6)
    return quartiles(times)


def measure(block):
    uniforms, step = programs(block)
    operations, tree = visits(block)
    fast, seconds = compiled(uniforms)
    return {
        "operations": operations,
        "expanded": tree,
        "compile 2**18 uniforms, s": seconds,
        "compile one step's draws, s": compiled(step)[1],
        "2**18 uniforms, µs": microseconds(lambda: fast(KEY)),
        "torch.rand beside it, µs": microseconds(lambda: torch.rand(N)),
    }


def main():
    torch.set_num_threads(1)
    torch._inductor.config.force_disable_caches = True
    torch._inductor.config.compile_threads = 1
    compiled(lambda key: key + 1)
    report = {"torch": torch.__version__, "threads": 1, "processor": processor(), "made": time.strftime("%Y-%m-%d")}
    for name in RIVALS:
        report[name] = measure(MIXERS[name])
        print(name, json.dumps(report[name], ensure_ascii=False), flush=True)
    path = Path(__file__).parent / "results" / "random_speed.json"
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    main()
