import pytest
import torch

from frl import random
from frl.envs import FunctionalEnv
from frl.envs.bsuite import MemoryChain, MemoryChainParams
from tests.envs.reference import compare

KEY = random.key(0)


class Reference:
    """bsuite's MemoryChain: a step returns what is seen before the time is counted."""

    def __init__(self, context, query, time, length=5):
        assert time == 0
        self.context, self.query, self.length, self.time = context, int(query), length, 0
        self.seen = self.look()

    def look(self):
        seen = [1 - self.time / self.length, 0.0, *[0.0] * len(self.context)]
        if self.time == self.length - 1:
            seen[1] = self.query
        if self.time == 0:
            seen[2:] = [2 * bit - 1 for bit in self.context]
        return seen

    def observe(self):
        return self.seen

    def step(self, action):
        self.seen = self.look()
        self.time += 1
        if self.time - 1 < self.length:
            return 0.0, False
        return (1.0 if action == self.context[self.query] else -1.0), True


@pytest.mark.parametrize(("num_bits", "length"), [(1, 5), (3, 2), (2, 1), (10, 20)])
def test_equals_the_reference_step_by_step(num_bits, length):
    def reference(**state):
        return Reference(**state, length=length)

    params = MemoryChainParams(memory_length=length)
    rewards = compare(MemoryChain(num_bits), reference, 30, length + 1, params)
    assert {len(row) for row in rewards} == {length + 1}
    assert {row[-1] for row in rewards} == {1.0, -1.0}


def test_who_remembers_is_always_right_and_who_does_not_every_other_time():
    author = MemoryChain(num_bits=3)
    state = author.initial(random.split(KEY, 400))._replace(time=torch.full((400,), 5))
    remembered = state.context.gather(-1, state.query[:, None])[:, 0]
    after = author.transition(state, remembered, KEY)
    assert (author.reward(state, remembered, after, KEY) == 1).all()
    assert author.reward(state, torch.zeros(400), after, KEY).mean().abs() < 0.15


def test_bits_and_queries_are_all_drawn():
    state = MemoryChain(num_bits=3).initial(random.split(KEY, 200))
    assert state.context.unique(dim=0).shape == (8, 3)
    assert state.query.unique().tolist() == [0, 1, 2]


def test_lengths_of_a_batch_end_each_at_its_own_time():
    env = FunctionalEnv(MemoryChain(), [3], params=MemoryChainParams(torch.tensor([1, 3, 6])))
    td = env.rollout(8, key=KEY, break_when_any_done=False)
    assert (td["next", "terminated"].squeeze(-1).int().argmax(-1) + 1).tolist() == [2, 4, 7]
