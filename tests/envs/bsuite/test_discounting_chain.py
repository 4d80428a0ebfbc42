import pytest
import torch

from frl import random
from frl.envs.bsuite import DiscountingChain, DiscountingChainParams
from tests.envs.reference import compare

KEY = random.key(0)
TIMES = (1, 3, 10, 30, 100)


class Reference:
    """bsuite's DiscountingChain with the bonus on one of its chains."""

    def __init__(self, context, time, bonus=0):
        assert (context, time) == (-1, 0)
        self.context, self.time, self.rewards = -1, 0, [1.1 if i == bonus else 1.0 for i in range(5)]

    def observe(self):
        return [self.context, self.time / 100]

    def step(self, action):
        if self.time == 0:
            self.context = int(action)
        self.time += 1
        return (self.rewards[self.context] if self.time == TIMES[self.context] else 0.0), self.time == 100


@pytest.mark.parametrize("bonus", [0, 3])
def test_equals_the_reference_step_by_step(bonus):
    rewards = tuple(1.1 if i == bonus else 1.0 for i in range(5))
    params = DiscountingChainParams(rewards=rewards)
    found = compare(DiscountingChain(), lambda **state: Reference(**state, bonus=bonus), 20, 100, params)
    assert {round(sum(row), 4) for row in found} == {1.0, 1.1}


@pytest.mark.parametrize("chain", range(5))
def test_each_chain_pays_once_at_its_time(chain):
    author, actions = DiscountingChain(), torch.full((1,), chain)
    state, paid = author.initial(KEY[None]), []
    for _ in range(100):
        before, state = state, author.transition(state, actions, KEY)
        paid.append(author.reward(before, actions, state, KEY).item())
    assert [t + 1 for t, reward in enumerate(paid) if reward] == [TIMES[chain]]
    assert author.terminal(state, KEY).all()


def test_times_and_rewards_are_physics():
    params = DiscountingChainParams((torch.tensor([1, 2]), 3, 10, 30, 100), (torch.tensor([7.0, 8.0]), 1, 1, 1, 1), 2)
    author, actions = DiscountingChain(), torch.zeros(2, dtype=torch.int64)
    first = author.initial(random.split(KEY, 2))
    second = author.transition(first, actions, KEY, params)
    third = author.transition(second, actions, KEY, params)
    assert author.reward(first, actions, second, KEY, params).tolist() == [7.0, 0.0]
    assert author.reward(second, actions, third, KEY, params).tolist() == [0.0, 8.0]
    assert author.terminal(third, KEY, params).all()
