import math

import gymnasium
import pytest
import torch

from frl import random
from frl.envs.classic import Acrobot, AcrobotParams
from tests.envs.classic.reference import anywhere, worst_difference

KEY = random.key(0)
PI = math.pi


def inject(env, state):
    env.state = state


def compare(num_seeds, num_steps, dtype, initial=None):
    return worst_difference(Acrobot(dtype), "Acrobot-v1", inject, num_seeds, num_steps, dtype, initial)


# Every angle, and speeds at which the joint turns more than once in a step.
FAST = anywhere([-PI, -PI, -8.0, -16.0], [PI, PI, 8.0, 16.0])


def test_equals_gymnasium_step_by_step_in_float64():
    worst, flags = compare(5, 200, torch.float64)
    assert worst <= 1e-12
    assert flags == 0


def test_equals_gymnasium_at_any_angle_and_at_high_speed():
    worst, flags = compare(400, 2, torch.float64, FAST)
    assert worst <= 1e-12
    assert flags == 0


def test_equals_gymnasium_step_by_step_in_float32():
    assert compare(5, 200, torch.float32)[0] <= 1e-5


@pytest.mark.slow
def test_equals_gymnasium_over_100_seeds_of_1000_steps():
    worst, flags = compare(100, 1000, torch.float64)
    assert worst <= 1e-12
    assert flags == 0
    assert compare(100, 1000, torch.float32)[0] <= 1e-5


def test_equals_gymnasium_under_other_physics():
    physics = {
        "LINK_LENGTH_1": 1.3,
        "LINK_MASS_1": 0.8,
        "LINK_MASS_2": 1.2,
        "LINK_COM_POS_1": 0.6,
        "LINK_COM_POS_2": 0.4,
        "LINK_MOI": 1.1,
        "MAX_VEL_1": 2.0,
        "MAX_VEL_2": 3.0,
        "dt": 0.1,
    }
    theirs = gymnasium.make("Acrobot-v1").unwrapped
    for name, value in physics.items():
        setattr(theirs, name, value)
    params = AcrobotParams(**{name.lower(): value for name, value in physics.items()})
    states = FAST(random.split(KEY, 50)) / 4
    ours = Acrobot(torch.float64).transition(states, torch.full((50,), 2), KEY, params)
    for state, after in zip(states, ours, strict=True):
        theirs.state = state.numpy()
        theirs.step(2)
        assert torch.allclose(after, torch.from_numpy(theirs.state), atol=1e-12)


def test_hanging_at_rest_without_a_torque_stays():
    assert Acrobot().transition(torch.zeros(4), torch.tensor(1), KEY).tolist() == [0.0, 0.0, 0.0, 0.0]


def test_left_and_right_are_alike():
    left, _, right = Acrobot().transition(torch.zeros(3, 4), torch.tensor([0, 1, 2]), KEY)
    assert left.tolist() == (-right).tolist()


def test_a_pendulum_that_nothing_drives_keeps_its_energy():
    """Without its other mass and inertia the first link is a point on a rod, and a small step follows it closely."""
    params = AcrobotParams(link_mass_2=0.0, link_moi=1e-9, dt=0.01, torque=0.0)
    state = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    before = -9.8 * 0.5 * math.cos(1.0)
    for _ in range(100):
        state = Acrobot().transition(state, torch.tensor(1), KEY, params)
    after = 0.5 * 0.25 * state[2] ** 2 - 9.8 * 0.5 * torch.cos(state[0])
    assert after == pytest.approx(before, abs=1e-5)
    assert state[0] != pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("height", "reached"), [(0.9, False), (1.1, True)])
def test_terminal_and_without_cost_where_the_free_end_is_above_the_target(height, reached):
    bent = math.acos(-height / 2)  # both links at this angle: each is half the height
    state = torch.tensor([bent, 0.0, 0.0, 0.0])
    assert Acrobot().terminal(state, KEY).item() is reached
    assert Acrobot().reward(state, torch.tensor(0), state, KEY) == (0.0 if reached else -1.0)


def test_longer_links_reach_higher():
    state = torch.tensor([2.0, 0.0, 0.0, 0.0])
    reached = Acrobot().terminal(state, KEY, AcrobotParams(link_length_1=torch.tensor([1.0, 2.0])))
    assert reached.tolist() == [False, True]


def test_angles_are_wrapped_and_speeds_are_limited():
    keys = random.split(KEY, 500)
    after = Acrobot().transition((4 * FAST(keys)).float(), random.randint(0, 3, 500, KEY), KEY)
    assert (after.abs() <= torch.tensor([PI, PI, 4 * PI, 9 * PI])).all()
    assert (after[:, 3].abs() == torch.tensor(9 * PI)).any()


def test_an_episode_begins_near_rest_with_other_numbers_in_every_row():
    state = Acrobot().initial(random.split(KEY, 1000))
    assert state.shape == (1000, 4)
    assert state.abs().max() <= 0.1
    assert state.unique().numel() > 3900


def test_physics_of_one_tensor_for_each_row_equals_each_row_alone():
    state, action = Acrobot().initial(random.split(KEY, 3)), torch.tensor([0, 1, 2])
    length, dt = torch.tensor([0.5, 1.0, 2.0]), torch.tensor([0.1, 0.2, 0.3])
    batch = Acrobot().transition(state, action, KEY, AcrobotParams(link_length_1=length, dt=dt))
    for i in range(3):
        physics = AcrobotParams(link_length_1=length[i], dt=dt[i])
        assert torch.equal(batch[i], Acrobot().transition(state[i], action[i], KEY, physics))


def test_gradient_of_the_dynamics_is_that_of_finite_differences():
    def loss(state, mass):
        return Acrobot().transition(state, torch.tensor(2), KEY, AcrobotParams(link_mass_1=mass)).square().sum()

    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in ([3.1, 0.2, 1.0, -0.5], 1.2)]
    assert torch.autograd.gradcheck(loss, inputs)
