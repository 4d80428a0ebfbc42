from pathlib import Path

import pytest
import torch

from frl import TensorDict, random, tree
from frl.training.best import keep_best
from frl.training.checkpoint import load, load_latest
from frl.training.population import population
from frl.training.run import Callback, every, measured, stop_when, train
from frl.training.serialize import state_hash
from tests.training.toy import LOOP

NAN = float("nan")


def see(keep: Callback, updates: int, value: float | list[float]) -> None:
    """Shows a state that is the number of its updates, of a population if there are several values."""
    shape = torch.tensor(value).shape
    count = torch.full(shape, updates)
    state = TensorDict({"step": 10 * count, "w": count.unsqueeze(-1).float()}, shape)
    keep(updates, state, TensorDict({"eval_return": torch.tensor(value)}, shape))


def kept(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_the_highest_is_kept_and_of_equal_ones_the_first(tmp_path: Path):
    keep = keep_best(tmp_path, {"seed": 3})
    for updates, value in enumerate([NAN, 1.0, 5.0, 3.0, 5.0, NAN], 1):
        see(keep, updates, value)
    found = load_latest(tmp_path)
    assert (found.step, found.metadata) == (30, {"seed": 3, "eval_return": 5.0, "updates": 3})
    assert kept(tmp_path) == ["step_000000000030"]


def test_nothing_is_kept_before_there_is_a_number(tmp_path: Path):
    see(keep_best(tmp_path), 1, NAN)
    assert kept(tmp_path) == []


def test_it_goes_on_from_what_was_kept(tmp_path: Path):
    see(keep_best(tmp_path), 2, 5.0)
    again = keep_best(tmp_path)
    see(again, 3, 4.0)
    assert load_latest(tmp_path).step == 20
    see(again, 4, 6.0)
    assert kept(tmp_path) == ["step_000000000040"]


@pytest.mark.parametrize("updates", [3, 5])
def test_a_resumed_run_that_goes_another_way_replaces_what_is_worse(tmp_path: Path, updates: int):
    see(keep_best(tmp_path), 5, 1.0)
    keep = keep_best(tmp_path)
    keep(updates, TensorDict({"step": torch.tensor(10 * updates)}), TensorDict({"eval_return": torch.tensor(2.0)}))
    assert kept(tmp_path) == [f"step_{10 * updates:012d}"]
    assert load_latest(tmp_path).metadata["eval_return"] == 2.0


def test_each_member_of_a_population_is_kept_where_it_was_best_itself(tmp_path: Path):
    keep = keep_best(tmp_path)
    see(keep, 1, [1.0, 9.0, NAN])
    see(keep, 2, [3.0, 8.0, NAN])
    again = keep_best(tmp_path)
    see(again, 3, [2.0, 9.0, 4.0])
    found = load_latest(tmp_path)
    assert found.state["step"].tolist() == [20, 10, 30]
    assert found.state["w"].flatten().tolist() == [2.0, 1.0, 3.0]
    assert found.metadata == {"eval_return": [3.0, 9.0, 4.0], "updates": [2, 1, 3]}
    assert kept(tmp_path) == ["step_000000000030"]


def wiggle(state: TensorDict) -> TensorDict:
    return TensorDict({"eval_return": state["train", "w"][..., 0].mul(37).sin()}, state["step"].shape)


def test_a_member_is_kept_as_by_its_run_alone(tmp_path: Path):
    keys = random.split(random.key(0), 3)
    both = population(LOOP, 3)
    train(both.step, both.init(keys), 20, [measured(wiggle, [keep_best(tmp_path / "all")])])
    together = load_latest(tmp_path / "all").state
    for i, key in enumerate(keys):
        train(LOOP.step, LOOP.init(key), 20, [measured(wiggle, [keep_best(tmp_path / str(i))])])
        member = tree.map(lambda x: x[i], together)  # noqa: B023
        assert state_hash(load_latest(tmp_path / str(i)).state) == state_hash(member)
    assert len(set(together["step"].tolist())) > 1, "the test shows nothing"


def test_it_can_keep_by_the_trainings_own_metrics_and_names_one_that_is_missing(tmp_path: Path):
    train(LOOP.step, LOOP.init(random.key(0)), 30, [keep_best(tmp_path, metric="episode_return")])
    assert load_latest(tmp_path).metadata["episode_return"] > -0.5
    with pytest.raises(KeyError, match="there is no metric 'eval_return', only"):
        train(LOOP.step, LOOP.init(random.key(0)), 1, [keep_best(tmp_path / "new")])


def test_a_run_killed_after_any_update_ends_with_the_same_best(tmp_path: Path):
    def run(directory: Path, first: int, last: int, state: TensorDict) -> TensorDict:
        return train(LOOP.step, state, last, [every(2, measured(wiggle, [keep_best(directory)]))], first)

    start = LOOP.init(random.key(0))
    run(tmp_path / "whole", 0, 8, start)
    whole = load_latest(tmp_path / "whole")
    for saved in (0, 3, 5):
        for killed in range(saved, 9, 2):
            directory = tmp_path / f"{saved}-{killed}"
            state = run(directory, 0, saved, start)
            run(directory, saved, killed, state)
            run(directory, saved, 8, state)
            found = load_latest(directory)
            assert (found.step, found.metadata) == (whole.step, whole.metadata)
            assert state_hash(found.state) == state_hash(whole.state)


def test_a_best_that_is_corrupt_is_named_and_counts_as_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    see(keep_best(tmp_path), 2, 5.0)
    (tmp_path / "step_000000000020" / "manifest.json").write_text("{}")
    see(keep_best(tmp_path), 2, 1.0)
    assert "skipping a checkpoint" in capsys.readouterr().err
    assert load(tmp_path / "step_000000000020").metadata["eval_return"] == 1.0


def test_an_evaluation_can_end_a_training(tmp_path: Path):
    low = stop_when(lambda metrics: metrics["eval_return"] < 0)
    last = train(LOOP.step, LOOP.init(random.key(0)), 500, [every(5, measured(wiggle, [keep_best(tmp_path), low]))])
    assert last["step"].item() < 5000
    assert last["step"].item() % 50 == 0
