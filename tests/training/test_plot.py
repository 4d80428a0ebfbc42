from pathlib import Path

import numpy as np
import pytest
import torch

from frl import TensorDict
from frl.training.log import csv_log
from frl.training.plot import align, plot, read_curves, read_sweep


def write(path: Path, episodes: list[float]) -> Path:
    with csv_log(path, [0, 1]) as log:
        for i, count in enumerate(episodes):
            metrics = {"episode_return": torch.tensor([i, 2.0 * i]), "episodes": torch.full((2,), count)}
            log(i + 1, TensorDict({"step": torch.tensor([10 * i, 10 * i])}, [2]), TensorDict(metrics, [2]))
    return path


def test_curves_are_read_by_seed_from_the_first_episode_that_ended(tmp_path: Path):
    first, second = read_curves(write(tmp_path / "m.csv", [0, 0, 3, 0]))
    assert [first[0].tolist(), first[1].tolist()] == [[20, 30], [2, 3]]
    assert second[1].tolist() == [4, 6]


def test_a_file_in_which_no_episode_ended_has_no_curve(tmp_path: Path):
    assert read_curves(write(tmp_path / "m.csv", [0, 0])) == []


def test_another_metric_can_be_read_and_one_that_is_missing_is_named(tmp_path: Path):
    path = write(tmp_path / "m.csv", [1])
    assert read_curves(path, "episodes")[0][1].tolist() == [1]
    with pytest.raises(ValueError, match="has no column 'reward', only"):
        read_curves(path, "reward")


def test_curves_of_a_sweep_are_read_by_what_varies(tmp_path: Path):
    with csv_log(tmp_path / "m.csv", [0, 0, 1], varied={"gamma": [0.5, 0.9, 0.9]}) as log:
        log(1, TensorDict({"step": torch.ones(3)}, [3]), TensorDict({"episode_return": torch.arange(3.0)}, [3]))
    found = read_sweep(tmp_path / "m.csv")
    assert {label: [values.tolist() for _, values in curves] for label, curves in found.items()} == {
        "gamma 0.5": [[0.0]],
        "gamma 0.9": [[1.0], [2.0]],
    }
    assert len(read_curves(tmp_path / "m.csv")) == 3


def test_curves_are_compared_where_all_are_defined():
    steps, values = align(
        [(np.array([0.0, 4.0]), np.array([0.0, 8.0])), (np.array([2.0, 3.0, 9.0]), np.array([1.0, 2.0, 8.0]))]
    )
    assert steps.tolist() == [2, 3, 4]
    assert values.tolist() == [[4, 6, 8], [1, 2, 3]]


def test_a_picture_is_drawn(tmp_path: Path):
    curves = read_curves(write(tmp_path / "m.csv", [1, 1, 1]))
    plot({"two": curves, "one": curves[:1]}, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_no_curve_is_an_error(tmp_path: Path):
    with pytest.raises(ValueError, match="there is no curve"):
        plot({"none": []}, tmp_path / "curve.png")
