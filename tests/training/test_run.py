from pathlib import Path

import pytest
import torch

from frl import TensorDict, random
from frl.training.checkpoint import load_latest
from frl.training.run import every, measured, require_finite, save_checkpoint, stop_when, train
from frl.training.serialize import state_hash
from tests.training.toy import LOOP


def start() -> TensorDict:
    return LOOP.init(random.key(0))


def test_training_is_the_step_repeated():
    once, _ = LOOP.step(start())
    twice, _ = LOOP.step(once)
    assert state_hash(train(LOOP.step, start(), 2)) == state_hash(twice)


def test_callbacks_see_each_update_counted_from_one():
    seen: list[tuple[int, int, float]] = []

    def look(updates: int, state: TensorDict, metrics: TensorDict) -> None:
        seen.append((updates, state["step"].item(), round(metrics["loss"].item(), 1)))

    train(LOOP.step, start(), 3, [look])
    assert [row[:2] for row in seen] == [(1, 10), (2, 20), (3, 30)]
    assert seen[0][2] > seen[2][2]


def test_a_callback_that_returns_true_ends_it_after_all_were_called():
    seen: list[int] = []
    last = train(LOOP.step, start(), 100, [lambda u, s, m: u == 4, lambda u, s, m: seen.append(u)])
    assert last["step"].item() == 40
    assert seen == [1, 2, 3, 4]


def test_training_that_is_done_is_not_continued():
    state = start()
    assert train(LOOP.step, state, 5, start=5) is state


def test_early_stop_is_a_condition_on_the_metrics():
    last = train(LOOP.step, start(), 1000, [stop_when(lambda metrics: metrics["episode_return"] > -1)])
    assert 50 < last["step"].item() < 200


def test_a_period_below_one_is_refused():
    with pytest.raises(ValueError, match="every: period is 0 but must be at least 1"):
        every(0, require_finite)


def test_no_graph_is_recorded_while_training():
    def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
        return state.set("w", state["w"] * 2), state

    state = TensorDict({"w": torch.ones(1, requires_grad=True)})
    assert not train(step, state, 1)["w"].requires_grad


def test_a_metric_that_is_not_finite_stops_the_training_and_is_named():
    def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
        return state, TensorDict({"loss": 1 / torch.tensor(0.0)})

    with pytest.raises(ValueError, match="metrics of update 1: loss is inf"):
        train(step, start(), 3, [require_finite])


def test_a_run_resumed_from_any_checkpoint_is_bitwise_the_same(tmp_path: Path):
    whole = train(LOOP.step, start(), 10, [every(3, save_checkpoint(tmp_path, {"seed": 0}))])
    found = load_latest(tmp_path)
    assert (found.step, found.metadata) == (90, {"seed": 0, "updates": 9})
    resumed = train(LOOP.step, found.state, 10, start=found.metadata["updates"])
    assert state_hash(resumed) == state_hash(whole)


def test_what_is_measured_takes_the_place_of_the_metrics_for_some_callbacks():
    seen: list[object] = []

    def measure(state: TensorDict) -> TensorDict:
        assert not torch.is_grad_enabled()
        return TensorDict({"eval_return": state["step"] * 2.0})

    def look(updates: int, state: TensorDict, metrics: TensorDict) -> None:
        seen.append((updates, list(metrics), metrics.get("eval_return", torch.tensor(0.0)).item()))

    train(LOOP.step, start(), 4, [every(2, measured(measure, [look, look]))])
    assert seen == [(2, ["eval_return"], 40.0)] * 2 + [(4, ["eval_return"], 80.0)] * 2


def test_each_callback_of_what_is_measured_is_called_and_each_may_end_the_training():
    seen: list[int] = []
    stop = measured(lambda state: state, [lambda u, s, m: u == 3, lambda u, s, m: seen.append(u)])
    assert train(LOOP.step, start(), 9, [stop])["step"].item() == 30
    assert seen == [1, 2, 3]
