"""`frl.compilation_cache`: a program's name holds all that shaped it, and the next process needs no compiler."""

import os
import subprocess
import sys

import pytest
import torch

from frl import compilation_cache, inductor
from frl.compilation import compiler_available
from frl.control import scan
from frl.tracing import trace

ONE = torch.ones(1)


def name(f, *inputs):
    return compilation_cache.key(trace(f, inputs or [ONE]))


def test_a_function_written_otherwise_with_the_same_operators_has_the_same_name():
    def twice(y):
        return [y * 2]

    assert name(lambda x: [x * 2]) == name(twice)


DIFFERENT = {
    "a number": (lambda x: [x * 2], lambda x: [x * 3]),
    "a number's type": (lambda x: [x * 2], lambda x: [x * 2.0]),
    "an operator": (lambda x: [x + x], lambda x: [x * x]),
    "the order of the results": (lambda x: [x, x + 1], lambda x: [x + 1, x]),
    "a scalar made inside": (lambda x: [x + torch.tensor(1.0)], lambda x: [x + torch.tensor(2.0)]),
    "a keyword": (lambda x: [x.sum(0, keepdim=True)], lambda x: [x.sum(0, keepdim=False)]),
    "a loop's step": (
        lambda x: [scan(lambda c, i: (c + 1, ()), x, length=3)[0]],
        lambda x: [scan(lambda c, i: (c + 2, ()), x, length=3)[0]],
    ),
    "a loop's length": (
        lambda x: [scan(lambda c, i: (c + 1, ()), x, length=3)[0]],
        lambda x: [scan(lambda c, i: (c + 1, ()), x, length=4)[0]],
    ),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_another_graph_has_another_name(what):
    f, g = DIFFERENT[what]
    assert name(f) != name(g)


def test_shape_dtype_and_strides_of_the_inputs_are_in_the_name():
    def f(x):
        return [x + 1]

    inputs = [torch.ones(2, 2), torch.ones(2, 3), torch.ones(2, 2).double(), torch.ones(2, 2).t()]
    assert len({name(f, x) for x in inputs}) == 4


def test_threads_and_settings_are_in_the_name(monkeypatch):
    def f(x):
        return [x * 2]

    names = {name(f)}
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    names.add(name(f))
    monkeypatch.setattr(torch._inductor.config, "epilogue_fusion", False)
    names.add(name(f))
    monkeypatch.setenv("CXX", "another compiler")
    names.add(name(f))
    monkeypatch.setattr(compilation_cache, "_processor", lambda: "flags: none")
    names.add(name(f))
    monkeypatch.setattr(inductor, "_SOURCE", "another version of this package")
    names.add(name(f))
    assert len(names) == 6


def test_a_program_with_a_custom_operator_is_more_than_a_library_and_has_no_name():
    @torch.library.custom_op("frl_test::double", mutates_args=())
    def double(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    double.register_fake(torch.empty_like)
    assert name(lambda x: [double(x)]) is None


PROGRAM = """
import sys, torch, frl
f = frl.compile(lambda s, x: ({"a": s["a"] + 1}, frl.control.scan(lambda c, x: (c + x, c * x), x[0], x)), donate=DONATE)
state = {"a": torch.zeros(2)}
for _ in range(2):
    state, (total, products) = f(state, torch.tensor([1.0, 2.0, 3.0]))
print(state["a"].tolist(), total.item(), products.tolist(), "torch._inductor.compile_fx" in sys.modules)
"""


@pytest.mark.skipif(not compiler_available(), reason="no C++ compiler")
@pytest.mark.parametrize("donate", [False, True])
def test_the_next_process_loads_the_program_and_makes_it_anew_if_it_is_damaged(tmp_path, donate):
    def run():
        command = [sys.executable, "-c", PROGRAM.replace("DONATE", str(donate))]
        environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    expected = "[2.0, 2.0] 7.0 [1.0, 4.0, 12.0]"
    assert run() == f"{expected} True"
    (library,) = (tmp_path / "frl").iterdir()
    assert run() == f"{expected} False"
    library.write_bytes(b"no library")
    assert run() == f"{expected} True"
    assert run() == f"{expected} False"


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(inductor, "cache_directory", lambda: tmp_path / "file")
    (tmp_path / "file").write_text("not a directory")
    compilation_cache.save("name", __file__)
    assert compilation_cache.load("name") is None
