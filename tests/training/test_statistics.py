import pytest
import torch

from frl import random
from frl.training.statistics import bootstrap_interval, interquartile_mean, mean, summarize


def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end():
    values = torch.tensor([-1000.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1000.0])
    assert interquartile_mean(values).item() == 2.5


def test_the_interquartile_mean_of_few_values_leaves_out_whole_values_only():
    assert interquartile_mean(torch.tensor([1.0, 2.0, 6.0])).item() == 3.0


def test_the_interquartile_mean_keeps_leading_axes():
    assert interquartile_mean(torch.arange(8.0).reshape(2, 4)).tolist() == [1.5, 5.5]


def test_the_interval_of_equal_values_is_that_value():
    low, high = bootstrap_interval(torch.full((10,), 3.0), random.key(0))
    assert (low.item(), high.item()) == (3.0, 3.0)


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    """Of 400 samples of 30 normal numbers, 95 % within sampling error and the bootstrap's known optimism."""
    samples = random.normal((400, 30), random.key(1))
    low, high = bootstrap_interval(samples, random.key(2), num_resamples=400)
    covered = ((low < 0) & (high > 0)).float().mean().item()
    assert 0.90 < covered < 0.98


def test_less_confidence_is_a_narrower_interval():
    values = random.normal((50,), random.key(3))
    wide, narrow = (bootstrap_interval(values, random.key(4), confidence=c) for c in (0.99, 0.5))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_the_same_key_gives_the_same_interval():
    values = random.normal((50,), random.key(3))
    assert bootstrap_interval(values, random.key(4)) == bootstrap_interval(values, random.key(4))


def test_any_statistic_over_the_last_axis_has_an_interval():
    values = torch.tensor([0.0] * 3 + [1.0] * 94 + [1000.0] * 3)
    low, high = bootstrap_interval(values, random.key(0), statistic=interquartile_mean)
    assert (low.item(), high.item()) == (1.0, 1.0)
    assert bootstrap_interval(values, random.key(0), statistic=mean)[1] > 20


def test_a_summary_says_all_of_it():
    summary = summarize(torch.tensor([0.0, 10.0, 20.0, 500.0]), random.key(0))
    assert (summary.num, summary.mean, summary.iqm) == (4, 132.5, 15.0)
    assert summary.low < summary.mean < summary.high


def test_integers_are_refused():
    with pytest.raises(TypeError, match=r"interquartile_mean: values is torch.int64"):
        interquartile_mean(torch.arange(4))
