import pytest
import torch

from frl import TensorDict, random
from frl.envs import FunctionalEnv
from frl.specs import Bounded, Composite
from frl.transforms import CatFrames, TimeMaxPool, TransformedEnv
from tests.transforms.worlds import PureCount

KEY = random.key(0)


def seen(transform, steps=4):
    return TransformedEnv(FunctionalEnv(PureCount(9)), transform).rollout(steps, key=KEY)


def test_the_oldest_frame_comes_first_and_the_first_frame_fills_the_window():
    td = seen(CatFrames(3, -1, ["observation"]))
    assert td["observation"].tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3]]
    assert td["next", "observation"][-1].tolist() == [2, 3, 4]


def test_padding_may_be_a_constant():
    td = seen(CatFrames(3, -1, ["observation"], padding="constant", padding_value=-7.0), 2)
    assert td["observation"].tolist() == [[-7, -7, 0], [-7, 0, 1]]


def test_channels_are_stacked():
    x = torch.arange(6.0).reshape(2, 3, 1, 1)
    after = {"pixels": x + 10, "done": torch.zeros(2, 1, dtype=torch.bool)}
    td = CatFrames(2)(TensorDict({"pixels": x, "next": after}, [2]))
    assert td["pixels"].shape == (2, 6, 1, 1)
    assert td["next", "pixels"][0].flatten().tolist() == [0, 1, 2, 10, 11, 12]


def test_one_frame_is_the_observation():
    assert seen(CatFrames(1, -1, ["observation"]))["observation"].flatten().tolist() == [0, 1, 2, 3]


def test_bounds_are_those_of_every_frame_and_of_the_padding():
    spec = Composite({"x": Bounded(torch.tensor([0.0, 1.0]), torch.tensor([2.0, 3.0]))})
    same = CatFrames(2, -1, ["x"]).observation_spec(spec)["x"]
    assert same.low.tolist() == [0, 1, 0, 1]
    padded = CatFrames(2, -1, ["x"], padding="constant", padding_value=-1.0).observation_spec(spec)["x"]
    assert padded.low.tolist() == [-1, -1, -1, -1]
    assert padded.high.tolist() == [2, 3, 2, 3]


@pytest.mark.parametrize(("T", "expected"), [(1, [3, 1, 2, 0]), (2, [3, 3, 2, 2]), (3, [3, 3, 3, 2])])
def test_the_greatest_of_the_last_frames(T, expected):
    x = torch.tensor([3.0, 1.0, 2.0, 0.0]).unsqueeze(-1)
    td = TensorDict({"x": x, "next": {"x": x, "done": torch.zeros(4, 1, dtype=torch.bool)}}, [4])
    assert TimeMaxPool(T, ["x"])(td)["next", "x"].flatten().tolist() == expected


def test_negative_frames_are_not_pooled_with_zeros():
    x = torch.full((2, 1), -5.0)
    td = TensorDict({"x": x, "next": {"x": x, "done": torch.zeros(2, 1, dtype=torch.bool)}}, [2])
    assert TimeMaxPool(4, ["x"])(td)["next", "x"].flatten().tolist() == [-5.0, -5.0]


@pytest.mark.parametrize("settings", [{"N": 0}, {"N": 2, "dim": 1}, {"N": 2, "padding": "none"}])
def test_bad_settings_are_refused(settings):
    with pytest.raises(ValueError, match="CatFrames"):
        CatFrames(**settings)
