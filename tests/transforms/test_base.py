import pytest
import torch

from frl import TensorDict, random
from frl.specs import Binary, Bounded, Categorical, Unbounded
from frl.transforms import Compose, Entrywise, RewardScaling, ToTensorImage, Transform, TransformedEnv
from frl.transforms.base import mapped
from tests.transforms.worlds import pendulum

KEY = random.key(0)


class Shift(Entrywise):
    """One of a user's own."""

    in_keys = ("observation",)

    def apply(self, x):
        return x + 1


def test_a_transform_of_a_users_own_is_a_class_with_one_method():
    env, plain = TransformedEnv(pendulum(), Shift()), TransformedEnv(pendulum())
    assert torch.equal(env.reset(KEY)["observation"], plain.reset(KEY)["observation"] + 1)
    assert env.single_observation_spec["observation"].high[0] == 2


def test_roots_and_next_are_treated_alike_and_rewards_are_of_next_alone():
    td = TensorDict({"observation": torch.zeros(2), "reward": torch.zeros(2), "next": {"observation": torch.ones(2)}})
    shifted = Shift()(td)
    assert shifted["observation"].tolist() == [1, 1]
    assert shifted["next", "observation"].tolist() == [2, 2]
    earned = td.set(("next", "reward"), torch.ones(1))
    assert RewardScaling(3.0, 1.0)(earned)["reward"].tolist() == [0, 0]
    assert RewardScaling(3.0, 1.0)(earned)["next", "reward"].tolist() == [4]


def test_without_next_the_data_are_what_a_step_arrives_at():
    assert RewardScaling(3.0, 1.0)(TensorDict({"reward": torch.ones(1)}))["reward"].tolist() == [4]


def test_other_out_keys_leave_the_entry_as_it_is():
    td = ToTensorImage(out_keys=[("seen", "image")])(TensorDict({"pixels": torch.ones(2, 3, 1)}))
    assert td["pixels"].shape == (2, 3, 1)
    assert td["seen", "image"].shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (Bounded(-1.0, 3.0, 2), Bounded(-6.0, 2.0, 2)),
        (Unbounded(2), Unbounded(2)),
        (Categorical(3), Unbounded((), dtype=torch.int64)),
    ],
)
def test_bounds_are_mapped(spec, expected):
    assert mapped(lambda x: -2 * x, spec) == expected


def test_an_infinite_bound_times_zero_is_no_bound():
    assert mapped(lambda x: 0 * x, Bounded(0.0, torch.inf, 1)) == Unbounded(1)


def test_flags_stay_flags():
    assert mapped(lambda x: x, Binary(2, dtype=torch.bool)) == Binary(2, dtype=torch.bool)


def test_a_transform_without_methods_does_nothing():
    td = TensorDict({"x": torch.ones(1), "next": {"x": torch.ones(1)}})
    assert bool((Transform()(td) == td).all())
    assert bool((Compose()(td) == td).all())
