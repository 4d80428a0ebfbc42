"""`import frl` is light, leaves the generator alone, and needs no C++ compiler; seen from a fresh process."""

import json
import os
import subprocess
import sys
from functools import lru_cache
from typing import Any

import pytest

SCRIPT = """
import json, sys
import torch, numpy, optree, gymnasium, safetensors
before, generator = set(sys.modules), torch.random.get_rng_state()
import frl
after = set(sys.modules)
env = frl.envs.make("CartPole-v1", batch_size=2)
double = lambda x: 2 * x
print(json.dumps({
    "before": sorted(before),
    "added": sorted(after - before),
    "untouched": torch.equal(generator, torch.random.get_rng_state()),
    "eager": frl.compile(double) is double,
    "steps": env.rollout(3, key=frl.random.key(0)).batch_size[1],
}))
"""
NEEDED_BY_COMMANDS_ALONE = (
    "tyro",
    "tqdm",
    "tensorboard",
    "matplotlib",
    "rich",
    "scipy",
    "pandas",
    "imageio",
    "pygame",
    "wandb",
)
NEEDED_BY_COMPILATION_ALONE = ("torch._inductor", "torch._dynamo", "triton")


@lru_cache(maxsize=1)
def _fresh_process() -> tuple[dict[str, Any], str]:
    """What the script prints where no program is found on the path, and what it says on stderr."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CXX", "CC")} | {"PATH": ""}
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_it_loads_nothing_beyond_its_five_libraries_and_theirs() -> None:
    before, added = ({name.split(".")[0] for name in _fresh_process()[0][when]} for when in ("before", "added"))
    assert added - before - sys.stdlib_module_names == {"frl"}


@pytest.mark.parametrize("library", NEEDED_BY_COMMANDS_ALONE + NEEDED_BY_COMPILATION_ALONE)
def test_what_only_some_programs_need_is_not_loaded(library: str) -> None:
    added = _fresh_process()[0]["added"]
    assert not [name for name in added if name == library or name.startswith(library + ".")]


def test_it_does_not_advance_the_global_generator() -> None:
    assert _fresh_process()[0]["untouched"]


def test_without_a_compiler_everything_runs_in_eager_mode_and_one_line_says_so() -> None:
    found, said = _fresh_process()
    assert found["eager"]
    assert found["steps"] == 3
    assert len(said.splitlines()) == 1
    assert "no C++ compiler" in said


def test_every_part_is_reached_from_the_root() -> None:
    import frl

    parts = ("envs", "nn", "functional", "distributions", "optim", "random", "tree", "control", "specs", "check")
    programs = ("algorithms", "collectors", "training")
    assert all(hasattr(frl, name) for name in (*parts, *programs, "TensorDict", "compile"))
