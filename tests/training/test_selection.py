"""Selection in a population: halving, and population-based training."""

import torch

from frl import TensorDict, random
from frl.training import exploit, halve

COUNT = 1000


def states(count: int = COUNT) -> TensorDict:
    number = torch.arange(float(count))
    hyper = {"gamma": torch.full((count,), 0.5), "learning_rate": torch.full((count,), 1e-3)}
    return TensorDict({"train": {"params": number, "hyper": hyper}, "key": number, "runner": number})


def test_half_of_the_members_are_left_and_they_are_the_best():
    scores = torch.tensor([3.0, 1.0, 2.0, 0.0, 9.0])
    kept, index = halve(states(5), scores)
    assert index.tolist() == kept["runner"].tolist() == kept["train", "params"].tolist() == [0, 2, 4]


def test_rounds_of_halving_leave_the_best_one():
    found, scores = states(16), torch.arange(16.0).roll(5)
    while len(scores) > 1:
        found, index = halve(found, scores)
        scores = scores[index]
    assert found["key"].tolist() == [4.0]


def test_of_equal_members_any_number_is_left():
    assert len(halve(states(7), torch.zeros(7), keep=3)[1]) == 3


def test_the_worst_fifth_goes_on_from_the_best_fifth():
    after, parent = exploit(states(), torch.arange(float(COUNT)), random.key(0), {})
    assert parent[200:].tolist() == list(range(200, COUNT))
    assert 800 <= int(parent[:200].min()) <= int(parent[:200].max()) < COUNT
    assert len(set(parent[:200].tolist())) > 100  # drawn, not one for all
    assert torch.equal(after["train", "params"], parent.float())


def test_environments_and_keys_stay_those_of_the_member():
    after, _ = exploit(states(), torch.arange(float(COUNT)), random.key(0), {})
    assert torch.equal(after["runner"], states()["runner"])
    assert torch.equal(after["key"], states()["key"])


def test_what_is_taken_over_is_changed_by_either_factor_as_often_and_nothing_else():
    after, parent = exploit(states(), torch.arange(float(COUNT)), random.key(0), {"gamma": (0.0, 1.0)}, 0.5, (0.8, 1.2))
    moved, gamma = parent != torch.arange(COUNT), after["train", "hyper", "gamma"]
    assert set(gamma[~moved].tolist()) == {0.5}
    smaller = (gamma[moved] - 0.4).abs() < 1e-6
    larger = (gamma[moved] - 0.6).abs() < 1e-6
    assert bool((smaller | larger).all())
    assert abs(int(smaller.sum()) - 250) < 50  # 4.5 standard deviations
    assert torch.equal(after["train", "hyper", "learning_rate"], states()["train", "hyper", "learning_rate"])


def test_a_change_stays_within_its_range():
    after, parent = exploit(states(), torch.arange(float(COUNT)), random.key(0), {"gamma": (0.45, 0.55)})
    found = after["train", "hyper", "gamma"][parent != torch.arange(COUNT)]
    assert {round(x, 4) for x in found.tolist()} == {0.45, 0.55}


def test_hyperparameters_are_changed_independently():
    ranges = {"gamma": (0.0, 1.0), "learning_rate": (0.0, 1.0)}
    after, parent = exploit(states(), torch.arange(float(COUNT)), random.key(0), ranges)
    moved, hyper = parent != torch.arange(COUNT), after["train", "hyper"]
    same = ((hyper["gamma"] > 0.5) == (hyper["learning_rate"] > 1e-3))[moved]
    assert 60 < int(same.sum()) < 140  # of 200


def test_a_score_that_is_no_number_is_among_the_worst():
    scores = torch.arange(10.0).index_fill(0, torch.tensor([9]), torch.nan)
    assert exploit(states(10), scores, random.key(0), {}, 0.1)[1].tolist() == [*range(9), 8]
