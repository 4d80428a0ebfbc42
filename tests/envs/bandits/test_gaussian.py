import math

import pytest
import torch

from frl import random
from frl.envs.bandits import GaussianBandit, GaussianBanditParams

KEY = random.key(0)


def test_the_first_arm_has_mean_zero_and_the_second_one_of_a_normal_distribution():
    arms = GaussianBandit(torch.float64).initial(random.split(KEY, 4000)).arms
    assert (arms[:, 0] == 0).all()
    assert arms[:, 1].mean().item() == pytest.approx(-1.0, abs=0.05)
    assert arms[:, 1].std().item() == pytest.approx(1.0, abs=0.05)


def test_who_knows_the_task_earns_8_in_100_pulls():
    density, below = math.exp(-0.5) / math.sqrt(2 * math.pi), 0.5 * math.erfc(1 / math.sqrt(2))
    oracle = 100 * (density - below)  # 100 E[max(0, x)] of x ~ N(-1, 1)
    assert oracle == pytest.approx(8.33, abs=0.005)
    arms = GaussianBandit().initial(random.split(KEY, 20_000)).arms
    assert 100 * arms.amax(-1).mean().item() == pytest.approx(oracle, abs=0.6)


def test_the_first_arm_pays_nothing_and_the_second_its_mean_with_noise():
    author = GaussianBandit(torch.float64)
    state = author.initial(random.split(KEY, 2000), GaussianBanditParams(means=torch.tensor([0.0, 0.7])))
    keys, none = random.split(random.key(1), 2000), torch.zeros(2000, dtype=torch.int64)
    assert (author.transition(state, none, keys).last_reward == 0).all()
    paid = author.transition(state, none + 1, keys).last_reward
    assert paid.mean().item() == pytest.approx(0.7, abs=0.01)
    assert paid.std().item() == pytest.approx(0.1, abs=0.01)


def test_means_and_noise_are_physics_of_each_row():
    params = GaussianBanditParams(mean=torch.tensor([5.0, -5.0]), std=0.0, noise=torch.tensor([0.0, 0.0]))
    author = GaussianBandit()
    state = author.initial(random.split(KEY, 2), params)
    assert state.arms.tolist() == [[0.0, 5.0], [0.0, -5.0]]
    after = author.transition(state, torch.tensor([1, 1]), random.split(KEY, 2), params)
    assert after.last_reward.tolist() == [5.0, -5.0]
