import pytest
import torch

from frl import TensorDict, random
from frl.envs import GymEnv, make
from frl.specs import Bounded, Composite
from frl.transforms import Compose, ObservationNorm, StepCounter, ToTensorImage, TransformedEnv
from frl.transforms.observation_norm import _statistics
from tests.transforms.worlds import pendulum, scene

KEY = random.key(0)


@pytest.mark.parametrize(("standard_normal", "expected"), [(False, 5 * 2 + 1), (True, (5 - 1) / 2)])
def test_the_two_directions(standard_normal, expected):
    norm = ObservationNorm(1.0, 2.0, ["x"], standard_normal=standard_normal)
    assert norm(TensorDict({"x": torch.tensor([5.0])}))["x"] == expected


@pytest.mark.parametrize("standard_normal", [False, True])
def test_measured_it_makes_mean_zero_and_deviation_one(standard_normal):
    env = TransformedEnv(
        make("Pendulum-v1", 4), Compose(StepCounter(), ObservationNorm(standard_normal=standard_normal))
    )
    env = env.transform[-1].init_stats(1000, reduce_dim=[0, 1], cat_dim=1, key=KEY)
    assert env.transform[-1].loc.shape == (3,)
    td = env.rollout(200, key=random.key(5))["observation"].flatten(0, 1)
    torch.testing.assert_close(td.mean(0), torch.zeros(3), atol=0.25, rtol=0)
    torch.testing.assert_close(td.std(0), torch.ones(3), atol=0.25, rtol=0)


def test_nothing_is_measured_in_place():
    env = TransformedEnv(pendulum(), ObservationNorm())
    env.transform.init_stats(10, key=KEY)
    with pytest.raises(RuntimeError, match="there is no loc"):
        env.reset(KEY)


def test_it_measures_what_the_transforms_before_it_show():
    env = TransformedEnv(pendulum(()), Compose(ObservationNorm(100.0, 0.0), ObservationNorm(), StepCounter()))
    env = env.transform[1].init_stats(10, key=KEY)
    torch.testing.assert_close(env.reset(KEY)["observation"], torch.zeros(3), atol=1e-3, rtol=0)
    assert len(env.transform) == 3


def test_a_shell_needs_no_key():
    env = TransformedEnv(GymEnv("Pendulum-v1"), ObservationNorm(standard_normal=True))
    assert env.transform.init_stats(20).transform.scale.shape == (3,)


def test_the_axes_of_seed_001():
    env = TransformedEnv(scene(()), Compose(ToTensorImage(), ObservationNorm(in_keys=["pixels"], standard_normal=True)))
    env = env.transform[-1].init_stats(20, reduce_dim=[0, 1, 2], cat_dim=0, keep_dims=[0], key=KEY)
    assert env.transform[-1].loc.shape == (1, 8)
    assert env.reset(KEY)["pixels"].shape == (3, 6, 8)


@pytest.mark.parametrize(("dims", "keep", "shape"), [([0], [], (3, 4)), ([0, 2], [2], (3, 1)), ([-1], [-1], (2, 3, 1))])
def test_axes_that_are_kept(dims, keep, shape):
    loc, scale = _statistics(torch.zeros(2, 3, 4), dims, keep)
    assert loc.shape == scale.shape == shape


def test_bounds_turn_round_with_a_negative_scale():
    spec = ObservationNorm(1.0, -2.0, ["x"]).observation_spec(Composite({"x": Bounded(0.0, 3.0, 1)}))["x"]
    assert (spec.low.item(), spec.high.item()) == (-5.0, 1.0)


def test_the_repr_shows_numbers_and_not_tensors():
    assert repr(ObservationNorm(2, 1, ["pixels"])) == "ObservationNorm(loc=2.0000, scale=1.0000, keys=['pixels'])"
    assert repr(ObservationNorm(torch.ones(3), torch.ones(3))) == "ObservationNorm(keys=['observation'])"
    assert repr(ObservationNorm()) == "ObservationNorm(keys=['observation'])"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ObservationNorm(1.0), "give both, or neither"),
        (lambda: ObservationNorm().init_stats(10), "in no environment"),
        (lambda: TransformedEnv(pendulum(), ObservationNorm(1, 1)).transform.init_stats(10), "given already"),
        (lambda: TransformedEnv(pendulum(), ObservationNorm()).transform.init_stats(1), "at least 2"),
        (lambda: TransformedEnv(pendulum(), ObservationNorm()).transform.init_stats(9, [0, 1]), "cat_dim= must say"),
        (lambda: _statistics(torch.zeros(2, 2), [0], [1]), "must be among reduce_dim"),
    ],
)
def test_bad_calls_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
