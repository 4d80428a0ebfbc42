"""Which rows are drawn: how often, in which order, and again after a restart."""

import pytest
import torch
from scipy import stats

from frl import TensorDict, random
from frl.replay import ListStorage, PrioritizedSampler, RandomSampler, SamplerWithoutReplacement
from frl.replay.samplers import Draws


def storage(count: int, max_size: int = 100) -> ListStorage:
    found = ListStorage(max_size)
    found.extend(list(range(count)))
    return found


def test_a_number_of_the_stream_depends_on_the_key_and_its_position_alone():
    numbers = Draws(random.key(1)).take(100)
    for position in range(20):
        assert Draws(random.key(1), position).take(30).tolist() == numbers[position : position + 30].tolist()
    assert Draws(random.key(2)).take(1) != numbers[0]


def test_rows_are_drawn_equally_often():
    counts = RandomSampler().draw(storage(37), 100_000)[0].bincount()
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3
    assert len(counts) == 37


@pytest.mark.parametrize("alpha", [0.7, 1.0])
def test_rows_are_drawn_in_proportion_to_their_priority(alpha):
    rows, sampler = storage(6), PrioritizedSampler(100, alpha, beta=1.1)
    sampler.added(rows, torch.arange(6))
    p = torch.tensor([0.1, 2.0, 0.5, 1.0, 0.01, 3.0], dtype=torch.float64)
    sampler.update_priority(torch.arange(6), p)
    index, info = sampler.draw(rows, 100_000)
    p = p**alpha
    assert stats.chisquare(index.bincount().numpy(), (100_000 * p / p.sum()).numpy()).pvalue > 1e-3
    assert torch.allclose(info["_weight"], ((p[index] / p.min()) ** -1.1).float(), rtol=1e-5)


def test_without_replacement_an_epoch_has_every_row_once():
    rows, sampler = storage(10), SamplerWithoutReplacement()
    orders = []
    for _ in range(3):
        batches = [sampler.draw(rows, 4)[0] for _ in range(3)]
        assert [len(x) for x in batches] == [4, 4, 2]
        orders.append(torch.cat(batches).tolist())
        assert sorted(orders[-1]) == list(range(10))
    assert orders[0] != orders[1] != orders[2]


def test_each_order_is_equally_likely():
    rows, sampler = storage(3), SamplerWithoutReplacement()
    orders = [tuple(sampler.draw(rows, 3)[0].tolist()) for _ in range(6000)]
    assert stats.chisquare([orders.count(order) for order in set(orders)]).pvalue > 1e-3
    assert len(set(orders)) == 6


def test_dropping_the_last_leaves_out_what_is_no_whole_batch():
    rows, sampler = storage(10), SamplerWithoutReplacement(drop_last=True)
    assert [len(sampler.draw(rows, 4)[0]) for _ in range(5)] == [4] * 5
    with pytest.raises(ValueError, match="batch_size is 11 for 10 rows"):
        sampler.draw(rows, 11)


def test_a_write_begins_a_new_epoch():
    rows, sampler = storage(3), SamplerWithoutReplacement()
    sampler.draw(rows, 2)
    sampler.added(rows, rows.extend([3]))
    assert sorted(sampler.draw(rows, 4)[0].tolist()) == [0, 1, 2, 3]


SAMPLERS = {
    "random": RandomSampler,
    "without replacement": SamplerWithoutReplacement,
    "prioritised": lambda: PrioritizedSampler(100),
}
every_sampler = pytest.mark.parametrize("make", SAMPLERS.values(), ids=SAMPLERS.keys())


def used(make):
    rows, sampler = storage(10), make()
    sampler.set_seed(3)
    sampler.added(rows, torch.arange(10))
    sampler.draw(rows, 3)
    return rows, sampler


@every_sampler
def test_from_its_state_it_goes_on_with_the_same_draws(make, tmp_path):
    rows, sampler = used(make)
    TensorDict(sampler.state()).save(tmp_path / "state")
    again = make()
    again.load_state(TensorDict.load(tmp_path / "state"))
    for _ in range(5):
        assert again.draw(rows, 4)[0].tolist() == sampler.draw(rows, 4)[0].tolist()


@every_sampler
def test_draws_that_are_taken_back_are_drawn_again(make):
    rows, sampler = used(make)
    before = sampler.snapshot()
    first = [sampler.draw(rows, 4)[0].tolist() for _ in range(4)]
    sampler.restore(before)
    assert [sampler.draw(rows, 4)[0].tolist() for _ in range(4)] == first


@every_sampler
def test_equal_seeds_draw_equally_and_others_otherwise(make):
    draws = []
    for seed in (0, 0, 1):
        rows, sampler = used(make)
        sampler.set_seed(seed)
        draws.append(torch.cat([sampler.draw(rows, 5)[0] for _ in range(6)]).tolist())
    assert draws[0] == draws[1] != draws[2]
