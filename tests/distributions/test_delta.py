import pytest
import torch

from frl import random
from frl.distributions import Delta

key = random.key(0)


def test_every_key_gives_the_value():
    policy = Delta(torch.tensor([1.0, 2.0]))
    assert policy.sample(key).tolist() == policy.mode.tolist() == policy.mean.tolist() == [1.0, 2.0]


def test_all_probability_is_on_the_value():
    assert Delta(torch.tensor([1.0, 2.0])).log_prob(torch.tensor([1.0, 3.0])).tolist() == [0.0, -torch.inf]


def test_it_has_neither_spread_nor_entropy():
    policy = Delta(torch.tensor([1.0, 2.0]))
    assert policy.stddev.tolist() == policy.entropy().tolist() == [0.0, 0.0]


def test_integer_actions_are_allowed():
    policy = Delta(torch.tensor([1, 2]))
    assert policy.sample(key).dtype == torch.int64
    assert policy.log_prob(torch.tensor([1, 1])).tolist() == [0.0, -torch.inf]


def test_a_list_is_no_tensor():
    with pytest.raises(TypeError, match="Delta: value is a list but must be a tensor"):
        Delta([1.0])
