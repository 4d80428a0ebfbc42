import pytest
import torch

from frl import random
from frl.envs.bsuite import UmbrellaChain, UmbrellaChainParams
from tests.envs.reference import compare

KEY = random.key(0)


class Reference:
    """bsuite's UmbrellaChain; what is drawn on the way is only known to be one of two values."""

    def __init__(self, need_umbrella, has_umbrella, time, length=10, num_distractors=0):
        assert time == 0
        self.need, self.has, self.time = int(need_umbrella), int(has_umbrella), 0
        self.length, self.num_distractors = length, num_distractors

    def observe(self):
        return [self.need, self.has, 1 - self.time / self.length, *[None] * self.num_distractors]

    def step(self, action):
        self.time += 1
        if self.time == 1:
            self.has = int(action)
        if self.time < self.length:
            return (-1.0, 1.0), False
        return (1.0 if self.has == self.need else -1.0), True


@pytest.mark.parametrize(("length", "num_distractors"), [(10, 0), (1, 0), (3, 4)])
def test_equals_the_reference_step_by_step(length, num_distractors):
    def reference(**state):
        return Reference(**state, length=length, num_distractors=num_distractors)

    params = UmbrellaChainParams(chain_length=length)
    rewards = compare(UmbrellaChain(num_distractors), reference, 30, length, params)
    assert {len(row) for row in rewards} == {length}
    assert {row[-1] for row in rewards} == {1.0, -1.0}


def test_rewards_on_the_way_are_fair_and_each_row_has_its_own():
    rewards = torch.tensor(compare(UmbrellaChain(), Reference, 200, 10))[:, :-1]
    assert rewards.mean().abs() < 0.1
    assert rewards[:, 0].unique().tolist() == [-1.0, 1.0]


def test_the_noise_is_scaled_by_the_physics_and_the_end_is_not():
    author, params = UmbrellaChain(), UmbrellaChainParams(noise=torch.tensor([0.0, 3.0]))
    state = author.initial(random.split(KEY, 2))
    keys, action = random.split(KEY, 2), state.need_umbrella
    after = author.transition(state, action, KEY)
    assert author.reward(state, action, after, keys, params).abs().tolist() == [0.0, 3.0]
    last = after._replace(time=torch.tensor([10, 10]))
    assert author.reward(after, action, last, keys, params).tolist() == [1.0, 1.0]


def test_distractors_are_bits_of_their_own_in_every_step_and_row():
    author, keys = UmbrellaChain(num_distractors=20), random.split(KEY, 2)
    state = author.initial(keys)
    a, b = author.observation(state, keys)[:, 3:], author.observation(state, random.split(keys[0]))[:, 3:]
    assert a.unique().tolist() == [0.0, 1.0]
    assert not torch.equal(a[0], a[1])
    assert not torch.equal(a[1], b[1])
