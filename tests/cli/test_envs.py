import pytest

from frl.cli import main
from frl.envs import ids


def test_every_pure_environment_is_listed_and_how_to_name_gymnasiums(capsys: pytest.CaptureFixture[str]):
    assert main(["envs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*ids(), "gym:ID"]
    assert "observation Bounded[4], action OneHot[2], 500 steps" in lines[0]


def test_arguments_are_refused(capsys: pytest.CaptureFixture[str]):
    assert main(["envs", "CartPole"]) == 2
    assert "takes no arguments, but 'CartPole' was given" in capsys.readouterr().err
