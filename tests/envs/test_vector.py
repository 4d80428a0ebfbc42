import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from frl.envs.vector import Vector
from tests.envs.liars import GymLiar


def test_equals_gymnasiums_vector_step_by_step():
    makers = [lambda: gymnasium.make("CartPole-v1")] * 3
    ours, theirs = Vector(makers), SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)
    assert (ours.reset(seed=4)[0] == theirs.reset(seed=4)[0]).all()
    for i in range(60):
        action = np.array([i % 2, 1, i % 3 > 0], np.int64)
        a, b = ours.step(action), theirs.step(action)
        for x, y in zip(a[:4], b[:4], strict=True):
            assert x.dtype == y.dtype
            assert (x == y).all()
        ended = a[2] | a[3]
        if ended.any():
            again = [v.reset(options={"reset_mask": ended.copy()})[0] for v in (ours, theirs)]
            assert (again[0] == again[1]).all()


def test_every_array_is_a_new_one():
    vector = Vector([lambda: gymnasium.make("CartPole-v1")])
    vector.reset(seed=0)
    first, second = (vector.step(np.array([1])) for _ in range(2))
    assert not any(np.shares_memory(x, y) for x, y in zip(first[:4], second[:4], strict=True))


def test_the_environment_with_the_wrong_shape_is_named():
    honest, lying = GymLiar(), GymLiar(lambda o, r, e, c: (o[:2], r, e, c))
    vector = Vector([lambda: honest, lambda: lying])
    vector.reset(seed=0)
    with pytest.raises(
        ValueError, match=r"environment 1: 'observation' has shape \[2\] but observation_space says \[4\]"
    ):
        vector.step(np.array([1, 1]))


def test_integers_never_come_of_floats():
    env = GymLiar(lambda o, r, e, c: (1.7, r, e, c), lambda o: 1)
    env.observation_space = gymnasium.spaces.Discrete(3)
    vector = Vector([lambda: env])
    vector.reset(seed=0)
    with pytest.raises(TypeError, match="float64 but observation_space says int64"):
        vector.step(np.array([1]))


def test_the_keys_of_a_dict_must_be_those_of_its_space():
    env = GymLiar(begin=lambda o: {"a": o})
    env.observation_space = gymnasium.spaces.Dict({"b": env.observation_space})
    with pytest.raises(ValueError, match=r"environment 0: 'observation' has the keys \['a'\].*\['b'\]"):
        Vector([lambda: env]).reset(seed=0)


def test_it_renders_every_environment():
    vector = Vector([lambda: gymnasium.make("CartPole-v1", render_mode="rgb_array")] * 2)
    vector.reset(seed=0)
    assert [frame.shape for frame in vector.render()] == [(400, 600, 3)] * 2
