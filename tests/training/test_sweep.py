from pathlib import Path

import pytest
import torch

from frl.training import grid
from frl.training.sweep import LINES, best, plot_sweep, told, trials


def some(first: int, second: int, num_seeds: int = 3):
    values = {"learning_rate": [10.0**-i for i in range(first)], "gamma": [1 - 0.1 * i for i in range(second)]}
    hyperparameters, _ = grid(values, num_seeds)
    scores = torch.arange(float(first * second * num_seeds))
    return trials({name: column.tolist() for name, column in hyperparameters.items()}, scores)


def test_the_seeds_of_a_combination_are_one_trial():
    found = trials({"gamma": [0.9, 0.99, 0.9]}, torch.tensor([1.0, 2.0, 3.0]))
    assert [trial.hyperparameters for trial in found] == [{"gamma": 0.9}, {"gamma": 0.99}]
    assert [trial.scores.tolist() for trial in found] == [[1.0, 3.0], [2.0]]


def test_without_hyperparameters_all_members_are_one_trial():
    (trial,) = trials({}, torch.arange(3.0))
    assert trial.scores.tolist() == [0.0, 1.0, 2.0]


def test_scores_for_another_number_of_members_are_refused():
    with pytest.raises(ValueError, match=r"scores have shape \[3\] but 'gamma' has 2 values"):
        trials({"gamma": [0.9, 0.99]}, torch.zeros(3))


def test_the_best_has_the_highest_interquartile_mean():
    scores = torch.tensor([[0.0, 10.0, 10.0, 11.0], [9.0, 9.0, 9.0, 500.0]])  # one seed by luck
    found = trials({"gamma": [0.9] * 4 + [0.99] * 4}, scores.flatten())
    assert best(found).hyperparameters == {"gamma": 0.9}


def test_of_equal_ones_the_higher_mean_is_better_and_then_the_first():
    found = trials({"gamma": [0.1] * 4 + [0.2] * 4 + [0.3] * 4}, torch.tensor([1.0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]))
    assert best(found).hyperparameters == {"gamma": 0.2}
    with pytest.raises(ValueError, match="there is no trial"):
        best([])


def test_a_combination_is_told_in_words():
    assert told({"lambda_": 0.5, "max_grad_norm": 10.0}) == "lambda 0.5, max grad norm 10"


@pytest.mark.parametrize(("first", "second"), [(3, 1), (3, 2), (2, LINES + 1)])
def test_a_picture_is_drawn_as_lines_or_as_a_map(tmp_path: Path, first: int, second: int):
    plot_sweep(some(first, second), tmp_path / "sweep.png", ["learning_rate"])
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_to_draw_against_is_refused(tmp_path: Path):
    for found in ([], trials({}, torch.arange(3.0))):
        with pytest.raises(ValueError, match="there is no hyperparameter to draw against"):
            plot_sweep(found, tmp_path / "sweep.png")
