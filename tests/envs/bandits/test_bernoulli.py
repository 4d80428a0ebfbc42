import pytest
import torch

from frl import random
from frl.envs import FunctionalEnv
from frl.envs.bandits import BernoulliBandit, BernoulliBanditParams

KEY = random.key(0)


def pulls(author, state, action, num, params=None):
    """The rewards of `num` pulls of each row, [num, B]."""
    paid = []
    for key in random.split(KEY, num):
        state = author.transition(state, action, random.split(key, len(action)), params)
        paid.append(state.last_reward)
    return torch.stack(paid)


def test_one_arm_pays_often_and_the_other_seldom_in_an_order_that_is_drawn():
    arms = BernoulliBandit().initial(random.split(KEY, 400)).arms
    assert torch.allclose(arms.sort(-1).values, torch.tensor([0.1, 0.9]))
    assert (arms.argmax(-1).double().mean() - 0.5).abs() < 0.08


@pytest.mark.parametrize("best", [True, False])
def test_who_knows_the_task_earns_90_in_100_pulls(best):
    author = BernoulliBandit()
    state = author.initial(random.split(KEY, 300))
    paid = pulls(author, state, state.arms.argmax(-1) if best else state.arms.argmin(-1), 100)
    assert paid.unique().tolist() == [0.0, 1.0]
    assert paid.sum(0).mean().item() == pytest.approx(90 if best else 10, abs=0.6)


def test_of_several_arms_one_is_best():
    arms = BernoulliBandit(num_arms=5).initial(random.split(KEY, 200)).arms
    assert arms.shape == (200, 5)
    assert arms.argmax(-1).unique().tolist() == [0, 1, 2, 3, 4]
    assert torch.allclose(arms.sort(-1).values, torch.tensor([0.1] * 4 + [0.9]))


def test_the_probability_is_physics_of_each_row():
    params = BernoulliBanditParams(reward_prob=torch.tensor([0.0, 0.3]))
    arms = BernoulliBandit().initial(random.split(KEY, 2), params).arms
    assert arms.sort(-1).values.flatten().tolist() == pytest.approx([0.0, 1.0, 0.3, 0.7])


def test_a_task_that_is_given_pays_with_its_own_probabilities():
    author, params = BernoulliBandit(num_arms=3), BernoulliBanditParams(probabilities=torch.tensor([0.0, 0.25, 1.0]))
    state = author.initial(random.split(KEY, 3), params)
    rates = pulls(author, state, torch.tensor([0, 1, 2]), 400, params).mean(0)
    assert rates.tolist() == pytest.approx([0.0, 0.25, 1.0], abs=0.06)


def test_a_task_of_another_number_of_arms_is_refused():
    with pytest.raises(ValueError, match=r"BernoulliBandit: probabilities has shape \[3\] but must have \[2, 2\]"):
        FunctionalEnv(BernoulliBandit(), [2], params=BernoulliBanditParams(probabilities=torch.zeros(3)))
