"""The claim: `frl.random` passes dieharder on one key's stream, across split keys, across folded numbers and seeds.

    python bench/random_quality.py battery STREAM    all that `dieharder -a` runs, save 27 of 33 lags: an hour or two
    python bench/random_quality.py screen            a short selection of tests, the cheap candidates

STREAM is counters, pairs, split, fold_in or seeds. By chance one row in 100 is "WEAK", one in 500,000 "FAILED". This
needs Debian's `dieharder` and a C compiler.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from random_mixers import MIXERS

HERE = Path(__file__).parent
MASK = 0xFFFFFFFF
ROWS = 1 << 15
KEYS = 1 << 12
CHOSEN = "frl"
BATTERY = (
    *(f"-d{d}" for d in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 100, 101, 102, 205, 206, 207, 208, 209)),
    *(f"-d200 -n{n}" for n in range(1, 13)),
    *(f"-d201 -n{n}" for n in range(2, 6)),
    *(f"-d202 -n{n}" for n in range(2, 6)),
    "-d204",
    "-d17",
    *(f"-d203 -n{n}" for n in (0, 1, 3, 7, 15, 31)),
)
SELECTION = ("-d0", "-d8 -p20", "-d15", "-d200 -n2", "-d207")
SCREENED = ("frl", "frl's first half", "folded-product", "single-lowbias32", "double-lowbias32", "squares32")


def counters(block, key, start):
    """One key, successive counters."""
    return block(*key, (start + torch.arange(ROWS)) & MASK)[0]


def pairs(block, key, start):
    """One key, both words of successive counters."""
    return torch.stack(block(*key, ((start & MASK) // 2 + torch.arange(ROWS // 2))), -1).reshape(-1)


def split(block, key, start):
    """4096 split keys, their streams interleaved word by word."""
    left, right = block(key[0], key[1] ^ MASK, torch.arange(KEYS))
    counter = start // KEYS + torch.arange(ROWS // KEYS)
    return block(left, right, counter[:, None])[0].reshape(-1)


def fold_in(block, key, start):
    """The first word of each successive `fold_in(key, i)`."""
    keys = block(key[0], key[1] ^ MASK, (start + torch.arange(ROWS)) & MASK)
    return block(*keys, 0)[0]


def seeds(block, key, start):
    """The first word of each successive `key(seed)`."""
    del key
    seed = start + torch.arange(ROWS)
    keys = block(seed & MASK ^ 0x3C6EF372, seed >> 32 ^ 0xA54FF53A, 0)
    return block(*keys, 0)[0]


STREAMS = {f.__name__: f for f in (counters, pairs, split, fold_in, seeds)}


def words(stream, mixer):
    """Successive arrays of words; after 2**32 words the second key word has moved on by one."""
    start = 0
    while True:
        key = torch.tensor((888804203, 3916479349 + (start >> 32)))
        yield STREAMS[stream](MIXERS[mixer], key, start)
        start += ROWS


def table(output):
    """dieharder's output as rows [test, parameter, p-value, assessment]."""
    rows = [line.split("|") for line in output.splitlines() if line.count("|") == 5]
    return [[r[0].strip(), int(r[1]), float(r[4]), r[5].strip()] for r in rows if r[1].strip().isdigit()]


def tally(rows):
    return {word.lower(): sum(row[3] == word for row in rows) for word in ("PASSED", "WEAK", "FAILED")}


def battery(stream):
    """The whole battery, on words from C; each test goes on where the last one stopped in the stream."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "random_words"
        subprocess.run(["cc", "-O3", "-march=native", "-o", program, HERE / "random_words.c"], check=True)
        check(program, stream)
        source = subprocess.Popen([program, stream], stdout=subprocess.PIPE)
        for test in BATTERY:
            command = ["dieharder", *test.split(), "-g", "200"]
            rows += table(
                subprocess.run(command, stdin=source.stdout, capture_output=True, text=True, check=True).stdout
            )
            save(
                f"random_quality_{stream}",
                {"stream": STREAMS[stream].__doc__, **tally(rows), "rows": [" ".join(map(str, row)) for row in rows]},
            )
        source.kill()


def check(program, stream):
    """Raises unless C and `frl.random` give the same first half a million words."""
    expected = torch.cat([chunk for chunk, _ in zip(words(stream, CHOSEN), range(16), strict=False)])
    with subprocess.Popen([program, stream], stdout=subprocess.PIPE) as source:
        drawn = torch.frombuffer(bytearray(source.stdout.read(4 * len(expected))), dtype=torch.int32)
        source.kill()
    if not torch.equal(drawn.to(torch.int64) & MASK, expected):
        raise AssertionError("random_words.c and frl.random differ")


def selection(stream, mixer):
    """The rows of a short selection of tests."""
    rows = []
    for test in SELECTION:
        process = subprocess.Popen(
            ["dieharder", *test.split(), "-g", "200"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            for chunk in words(stream, mixer):
                process.stdin.write(chunk.to(torch.int32).numpy().tobytes())
        except BrokenPipeError:
            rows += table(process.stdout.read().decode())
    return rows


def duplicates(stream, mixer):
    """How many of the first 2**20 words came before: 128 ± 11 of them for a random function, none for a permutation."""
    source = words(stream, mixer)
    drawn = torch.cat([next(source) for _ in range(32)])
    return len(drawn) - len(drawn.unique())


def screen():
    found = {}
    for mixer in SCREENED:
        for stream in ("counters", "fold_in"):
            rows = selection(stream, mixer)
            odd = [" ".join(map(str, row)) for row in rows if row[3] != "PASSED"]
            found[f"{mixer}, {stream}"] = {"duplicates": duplicates(stream, mixer), **tally(rows), "not passed": odd}
            print(mixer, stream, found[f"{mixer}, {stream}"], flush=True)
            save("random_screen", {"tests": SELECTION, "duplicates expected": "128 ± 11", "found": found})


def save(name, results):
    setup = {"torch": torch.__version__, "machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    report = {"made": time.strftime("%Y-%m-%d"), "version": "dieharder 3.31.1", **setup, **results}
    (HERE / "results" / f"{name}.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def main():
    torch.set_num_threads(1)
    if sys.argv[1] == "battery":
        battery(sys.argv[2])
    else:
        screen()


if __name__ == "__main__":
    main()
