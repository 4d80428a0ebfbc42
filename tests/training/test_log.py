import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from frl import TensorDict, random
from frl.training.log import csv_log, read_csv, tensorboard_log, wandb_log
from frl.training.run import train
from tests.training.toy import LOOP


def of_steps(*steps: int) -> TensorDict:
    return TensorDict({"step": torch.tensor(steps)}, [len(steps)])


def test_a_row_is_written_for_every_update(tmp_path: Path):
    with csv_log(tmp_path / "m.csv", [5]) as log:
        train(LOOP.step, LOOP.init(random.key(0)), 3, [log])
    rows = read_csv(tmp_path / "m.csv")
    assert list(rows[0]) == ["update", "step", "seed", "seconds", "episode_return", "episodes", "loss"]
    assert [(row["update"], row["step"], row["seed"]) for row in rows] == [
        ("1", "10", "5"),
        ("2", "20", "5"),
        ("3", "30", "5"),
    ]


def test_a_population_has_a_row_for_every_member(tmp_path: Path):
    with csv_log(tmp_path / "m.csv", [3, 4]) as log:
        log(1, of_steps(8, 8), TensorDict({"loss": torch.tensor([0.5, 0.25])}, [2]))
    assert [(row["seed"], row["loss"]) for row in read_csv(tmp_path / "m.csv")] == [("3", "0.5"), ("4", "0.25")]


def test_nested_metrics_have_dotted_names(tmp_path: Path):
    with csv_log(tmp_path / "m.csv") as log:
        log(1, of_steps(8), TensorDict({"loss": {"actor": torch.tensor(1.0)}}))
    assert read_csv(tmp_path / "m.csv")[0]["loss.actor"] == "1.0"


def test_rows_are_on_disk_while_the_training_goes_on(tmp_path: Path):
    with csv_log(tmp_path / "m.csv") as log:
        log(1, of_steps(8), TensorDict({"loss": torch.tensor(1.0)}))
        assert len(read_csv(tmp_path / "m.csv")) == 1


def test_a_resumed_log_drops_what_will_be_done_again_and_a_torn_row(tmp_path: Path):
    file = tmp_path / "m.csv"
    with csv_log(file) as log:
        train(LOOP.step, LOOP.init(random.key(0)), 5, [log])
    whole = file.read_text()
    file.write_text(whole + "6,60,0,1.2")
    seconds = float(read_csv(file)[2]["seconds"])
    state = train(LOOP.step, LOOP.init(random.key(0)), 3)
    with csv_log(file, start=3) as log:
        assert [row["update"] for row in read_csv(file)] == ["1", "2", "3"]
        train(LOOP.step, state, 5, [log], start=3)
    rows = read_csv(file)
    assert [row["update"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert float(rows[3]["seconds"]) >= seconds
    assert [{**row, "seconds": ""} for row in rows] == [
        {**dict(zip(rows[0], line.split(","), strict=True)), "seconds": ""} for line in whole.splitlines()[1:]
    ]


def test_seeds_that_do_not_fit_the_population_are_refused(tmp_path: Path):
    with csv_log(tmp_path / "m.csv", [0, 1, 2]) as log, pytest.raises(ValueError, match="pass one seed for each"):
        log(1, of_steps(8, 8), TensorDict({"loss": torch.zeros(2)}, [2]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_the_metrics_by_step_and_hides_what_is_done_again(tmp_path: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with tensorboard_log(tmp_path) as log:
        train(LOOP.step, LOOP.init(random.key(0)), 3, [log])
    with tensorboard_log(tmp_path, resume_step=10) as log:
        log(2, of_steps(20), TensorDict({"loss": torch.tensor(7.0)}))
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert set(events.Tags()["scalars"]) == {"training/loss", "training/episode_return", "training/episodes"}
    assert [event.step for event in events.Scalars("training/loss")] == [10, 20]
    assert events.Scalars("training/loss")[1].value == 7.0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_shows_the_mean_of_a_population_and_each_return(tmp_path: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with tensorboard_log(tmp_path) as log:
        log(1, of_steps(8, 8), TensorDict({"episode_return": torch.tensor([1.0, 3.0])}, [2]))
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    values = {tag: events.Scalars(tag)[0].value for tag in events.Tags()["scalars"]}
    assert values == {"training/episode_return": 2.0, "episode_return/member_0": 1.0, "episode_return/member_1": 3.0}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_evaluations_stand_apart_from_the_training(tmp_path: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with tensorboard_log(tmp_path) as log:
        log(1, of_steps(8), TensorDict({"eval_return": torch.tensor(4.0)}))
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Tags()["scalars"] == ["evaluation/eval_return"]


class Service:
    """Stands for the module wandb: what its `init`, and `log` and `finish` of the run, were given."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def init(self, **given: Any) -> SimpleNamespace:
        self.calls.append(("init", given))
        return SimpleNamespace(
            log=lambda data, step: self.calls.append(("log", (data, step))),
            finish=lambda exit_code=None: self.calls.append(("finish", exit_code)),
        )


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    found = Service()
    monkeypatch.setitem(sys.modules, "wandb", found)
    return found


def test_wandb_gets_the_metrics_by_environment_step(tmp_path: Path, service: Service):
    with wandb_log(tmp_path, {"gamma": 0.9}, name="run") as log:
        train(LOOP.step, LOOP.init(random.key(0)), 2, [log])
        log(2, of_steps(20, 20), TensorDict({"eval_return": torch.tensor([1.0, 2.0])}, [2]))
    (_, given), *logged, last = service.calls
    assert {name: given[name] for name in ("project", "name", "dir", "config", "resume")} == {
        "project": None,
        "name": "run",
        "dir": str(tmp_path),
        "config": {"gamma": 0.9},
        "resume": "allow",
    }
    assert [(sorted(data), step) for _, (data, step) in logged] == [
        (["training/episode_return", "training/episodes", "training/loss"], 10),
        (["training/episode_return", "training/episodes", "training/loss"], 20),
        (["eval_return/member_0", "eval_return/member_1", "evaluation/eval_return"], 20),
    ]
    assert logged[-1][1][0] == {"evaluation/eval_return": 1.5, "eval_return/member_0": 1.0, "eval_return/member_1": 2.0}
    assert last == ("finish", None)


def test_a_resumed_run_is_the_same_run_of_wandb(tmp_path: Path, service: Service):
    for directory in (tmp_path / "a", tmp_path / "a", tmp_path / "b"):
        with wandb_log(directory):
            pass
    first, again, other = [given["id"] for kind, given in service.calls if kind == "init"]
    assert first == again != other


def test_wandb_learns_that_a_run_failed(tmp_path: Path, service: Service):
    with pytest.raises(RuntimeError, match="planted"), wandb_log(tmp_path):
        raise RuntimeError("planted")
    assert service.calls[-1] == ("finish", 1)


def test_without_wandb_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ImportError, match=r"wandb is not installed; pip install 'frl\[wandb\]'"), wandb_log(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
