import pytest
import torch

from frl.cli.report import print_evaluation


def test_one_seed_has_its_line_and_the_last_line_is_the_evaluation(capsys: pytest.CaptureFixture[str]):
    print_evaluation(torch.tensor([[0.0, 10.0, 20.0, 500.0]]), [3])
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("seed 3: mean 132.5, 95 % interval [")
    assert first.endswith("interquartile mean 15.0")
    assert last == "evaluation: mean return 132.5 over 4 episodes"


def test_of_a_sweep_each_combination_is_summarised_over_its_seeds(capsys: pytest.CaptureFixture[str]):
    returns = torch.tensor([[1.0, 3.0], [4.0, 4.0], [9.0, 11.0]])
    print_evaluation(returns, range(2), {"gamma": [0.5, 0.9, 0.9], "lambda_": [1.0, 1.0, 1.0]})
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith("gamma 0.5, lambda 1: mean 2.00, ")
    assert second.startswith("gamma 0.9, lambda 1 over 2 seeds: mean 7.00, ")
    assert last == "evaluation: mean return 5.33 over 6 episodes"


def test_several_seeds_are_summarised_over_their_means(capsys: pytest.CaptureFixture[str]):
    print_evaluation(torch.tensor([[1.0, 3.0], [4.0, 4.0], [9.0, 11.0], [0.0, 0.0]]), [0, 1, 2, 3])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[4].startswith("over 4 seeds: mean 4.00, ")
    assert lines[4].endswith("interquartile mean 3.00")
