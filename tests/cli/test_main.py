import subprocess
import sys

import pytest

import frl.cli
from frl.cli import ALGORITHMS, main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "unknown command 'trian'; there are: train, sweep, eval, export, plot, envs."),
        (["train"], f"train: unknown algorithm ''; there are: {', '.join(ALGORITHMS)}."),
        (["sweep", "dqm"], f"sweep: unknown algorithm 'dqm'; there are: {', '.join(ALGORITHMS)}."),
        (["train", "dqm"], f"train: unknown algorithm 'dqm'; there are: {', '.join(ALGORITHMS)}."),
        (["train", "ppo", "--env", "CartPole"], "CartPole-v1"),
        (["train", "ppo", "--compile", "maybe"], "('auto', 'on', 'off')"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("frl: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_without_a_command_the_usage_is_shown(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 2
    assert main(["--help"]) == main(["train", "-h"]) == 0
    assert capsys.readouterr().out.count("usage: frl COMMAND") == 3


def test_ctrl_c_outside_a_training_has_no_traceback(monkeypatch: pytest.MonkeyPatch):
    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(frl.cli, "_envs", interrupted)
    assert main(["envs"]) == 130


PROGRAM = """
import sys, {baseline}
before = {{name.split(".")[0] for name in sys.modules}}
import {imported}
after = {{name.split(".")[0] for name in sys.modules}}
print(sorted(name for name in after - before - set(sys.stdlib_module_names) if not name.startswith("__editable__")))
"""


@pytest.mark.parametrize("imported", ["frl", "frl.training, frl.cli"])
def test_import_loads_nothing_beyond_five_libraries(imported: str):
    program = PROGRAM.format(baseline="torch, numpy, optree, gymnasium, safetensors", imported=imported)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "['frl']\n"
