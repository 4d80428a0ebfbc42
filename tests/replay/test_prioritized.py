"""Prioritised replay: frequencies, importance weights in closed form, and the life of a priority."""

import pytest
import torch
from scipy import stats

from frl import TensorDict, random, replay

ROW = TensorDict({"t": torch.tensor(0)})


def with_priorities(priority: list[float], alpha: float = 0.7, beta: float = 1.1, batch_size: int = 4):
    buffer = replay.prioritized(replay.uniform(len(priority) + 2, batch_size), alpha, beta)
    n = len(priority)
    state = buffer.add(buffer.init(ROW), TensorDict({"t": torch.arange(n)}, [n]))
    return buffer, buffer.update_priority(state, torch.arange(n), torch.tensor(priority))


def leaves(state: TensorDict) -> list[float]:
    return state["tree", "sum"][: state["data"].batch_size[0]].tolist()


def test_a_leaf_is_the_priority_and_eps_to_the_power_alpha():
    _, state = with_priorities([0.168859, 0.022326])
    assert leaves(state) == pytest.approx([0.2879167, 0.0698497, 0.0, 0.0], abs=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.0])
def test_rows_are_drawn_in_proportion_to_their_priority(alpha):
    priority = [0.1, 2.0, 0.5, 1.0, 0.01, 3.0]
    buffer, state = with_priorities(priority, alpha, batch_size=100_000)
    counts = buffer.sample(state, random.key(5))["index"].bincount(minlength=8)
    p = torch.tensor(priority, dtype=torch.float64) ** alpha
    assert not counts[6:].any()
    assert stats.chisquare(counts[:6].numpy(), (100_000 * p / p.sum()).numpy()).pvalue > 1e-3


def test_weights_are_the_ratio_to_the_least_priority_to_the_power_minus_beta():
    priority = torch.tensor([0.1, 2.0, 0.5])
    buffer, state = with_priorities(priority.tolist(), batch_size=100)
    td = buffer.sample(state, random.key(0))
    assert td["_weight"].dtype == torch.float32
    assert torch.allclose(td["_weight"], (priority[td["index"]] / 0.1) ** (-0.7 * 1.1), rtol=1e-5)
    assert td["_weight"].max() == 1.0


def test_beta_is_a_leaf_that_a_schedule_may_change():
    buffer, state = with_priorities([0.1, 2.0])
    assert buffer.sample(state.set("beta", torch.tensor(0.0)), random.key(0))["_weight"].tolist() == [1.0] * 4


def test_new_rows_get_the_largest_priority_ever_given_and_one_before():
    buffer = replay.prioritized(replay.uniform(4, 2), alpha=1.0)
    row = TensorDict({"t": torch.tensor([0])}, [1])
    state = buffer.add(buffer.init(ROW), row)
    assert leaves(state) == pytest.approx([1, 0, 0, 0])
    state = buffer.update_priority(state, torch.tensor([0]), torch.tensor([0.25]))
    state = buffer.add(state, row)
    assert leaves(state) == pytest.approx([0.25, 0.25, 0, 0])
    state = buffer.update_priority(state, torch.tensor([0, 1]), torch.tensor([3.0, 0.5]))
    state = buffer.update_priority(buffer.add(state, row), torch.tensor([0]), torch.tensor([0.1]))
    assert leaves(buffer.add(state, row)) == pytest.approx([0.1, 0.5, 3, 3])


def test_a_row_that_is_written_over_loses_its_priority():
    buffer = replay.prioritized(replay.uniform(2, 2), alpha=1.0)
    two = TensorDict({"t": torch.tensor([0, 1])}, [2])
    state = buffer.update_priority(buffer.add(buffer.init(ROW), two), torch.tensor([0, 1]), torch.tensor([0.5, 0.25]))
    assert leaves(buffer.add(state, two[:1])) == pytest.approx([0.5, 0.25])
    assert leaves(buffer.add(buffer.add(state, two[:1]), two[:1])) == pytest.approx([0.5, 0.5])


def test_a_priority_of_zero_is_still_drawn_now_and_then():
    _, state = with_priorities([0.0, 1.0], alpha=0.7)
    assert leaves(state)[0] == pytest.approx(1e-8**0.7)
