"""n-step returns: what is summed, and what stands for the rest. The ends of episodes: test_rings.py."""

import pytest
import torch

from frl import TensorDict, random, replay
from frl.functional import td0_targets
from tests.replay.registry import filled, steps


def walk(terminated: list[bool], truncated: list[bool]) -> TensorDict:
    """Four steps of one environment with rewards 1, 10, 100, 1000; step t leads to observation t + 1."""
    flags = {"terminated": torch.tensor(terminated), "truncated": torch.tensor(truncated)}
    after = {"observation": torch.arange(1, 5), "reward": torch.tensor([1.0, 10.0, 100.0, 1000.0]), **flags}
    after = {name: x.unsqueeze(-1) for name, x in after.items()}
    return TensorDict({"observation": torch.arange(4).unsqueeze(-1), "next": after}, [4])


def read(batch: TensorDict, n: int):
    buffer = replay.n_step(4, 1, n, gamma=0.5)
    td = buffer.read(buffer.add(buffer.init(batch[0]), batch), torch.arange(4))
    return [td["next", key].flatten().tolist() for key in ("reward", "discount", "observation")]


NO, SECOND = [False] * 4, [False, True, False, False]


def test_two_rewards_are_summed_and_the_third_observation_stands_for_the_rest():
    assert read(walk(NO, NO), 2) == [[6.0, 60.0, 600.0, 1000.0], [0.25, 0.25, 0.25, 0.5], [2, 3, 4, 4]]


def test_after_a_termination_nothing_comes():
    assert read(walk(SECOND, NO), 3)[0][:2] == [6.0, 10.0]
    assert read(walk(SECOND, NO), 3)[1:] == [[0.0, 0.0, 0.25, 0.5], [2, 2, 4, 4]]


def test_after_a_truncation_the_true_successor_stands_for_the_rest():
    assert read(walk(NO, SECOND), 3)[1:] == [[0.25, 0.5, 0.25, 0.5], [2, 2, 4, 4]]


def test_a_nan_behind_the_end_stays_there():
    batch = walk(SECOND, NO)
    batch = batch.set(("next", "reward"), torch.tensor([1.0, 10.0, torch.nan, torch.nan]).unsqueeze(-1))
    assert read(batch, 3)[0][:2] == [6.0, 10.0]


def test_one_step_is_the_temporal_difference_target():
    buffer = replay.n_step(12, 50, 1, gamma=0.9, num_envs=2)
    td = buffer.sample(filled(buffer, 2), random.key(0))["next"]
    value = torch.ones(50)
    target = td["reward"].squeeze(-1) + td["discount"].squeeze(-1) * value
    assert torch.allclose(target, td0_targets(td["reward"].squeeze(-1), value, td["terminated"].squeeze(-1), 0.9))


def test_gamma_may_be_a_tensor_and_differ_between_members():
    state = filled(replay.n_step(12, 5, 2, num_envs=2), 2)

    def discount(gamma):
        return replay.n_step(12, 5, 2, gamma, num_envs=2).sample(state, random.key(0))["next", "discount"]

    assert torch.equal(torch.vmap(discount)(torch.tensor([0.5, 0.9]))[0], discount(0.5))


@pytest.mark.parametrize("missing", ["reward", "terminated", "truncated"])
def test_the_example_must_have_the_reward_and_both_flags(missing):
    row = steps(0)[0, 0]
    with pytest.raises(KeyError, match=missing):
        replay.n_step(12, 5, 2).init(row.set("next", row["next"].exclude(missing)))
