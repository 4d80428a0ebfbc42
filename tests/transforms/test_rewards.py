import pytest
import torch

from frl import TensorDict, random
from frl.envs import FunctionalEnv
from frl.specs import Bounded, Unbounded
from frl.transforms import Compose, RewardClipping, RewardScaling, RewardSum, TransformedEnv
from tests.transforms.worlds import PureCount

AFTER = TensorDict({"next": {"reward": torch.tensor([3.0])}})


@pytest.mark.parametrize(("standard_normal", "expected"), [(False, 3 * 0.1 + 1), (True, (3 - 1) / 0.1)])
def test_scaling(standard_normal, expected):
    scaled = RewardScaling(1.0, 0.1, standard_normal=standard_normal)(AFTER)
    assert scaled["next", "reward"].item() == pytest.approx(expected)


def test_clipping():
    assert RewardClipping(-1.0, 1.0)(AFTER)["next", "reward"] == 1.0
    assert RewardClipping(-1.0, 1.0).reward_spec(Unbounded(1)) == Bounded(-1.0, 1.0, 1)


@pytest.mark.parametrize(("first", "expected"), [(True, [1, 3, 6]), (False, [2, 6, 12])])
def test_the_sum_is_of_what_earlier_transforms_make_of_the_reward(first, expected):
    transforms = [RewardSum(), RewardScaling(0.0, 2.0)]
    env = TransformedEnv(FunctionalEnv(PureCount(3)), Compose(*(transforms if first else reversed(transforms))))
    assert env.rollout(3, key=random.key(0))["next", "episode_reward"].flatten().tolist() == expected


def test_gradients_flow_through():
    gradient = torch.func.grad(lambda x: RewardScaling(1.0, 0.1)(AFTER.set(("next", "reward"), x))["next", "reward"][0])
    assert gradient(torch.tensor([3.0])).item() == pytest.approx(0.1)


def test_the_limits_must_be_in_order():
    with pytest.raises(ValueError, match="must not exceed"):
        RewardClipping(1.0, -1.0)
