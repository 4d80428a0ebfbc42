import gymnasium
import pytest
import torch

from frl import random
from frl.envs.classic import MountainCar, MountainCarContinuous, MountainCarParams
from tests.envs.classic.reference import anywhere, worst_difference

KEY = random.key(0)
BOTH = {"MountainCar-v0": MountainCar, "MountainCarContinuous-v0": MountainCarContinuous}
# The whole track at every speed: both ends are hit, the goal is passed in both directions.
TRACK = anywhere([-1.2, -0.07], [0.6, 0.07])


def inject(env, state):
    env.state = state


def compare(id, num_seeds, num_steps, dtype, initial=None):
    return worst_difference(BOTH[id](dtype), id, inject, num_seeds, num_steps, dtype, initial)


@pytest.mark.parametrize("id", BOTH)
def test_equals_gymnasium_step_by_step_in_float64(id):
    worst, flags = compare(id, 5, 200, torch.float64)
    assert worst <= 1e-12
    assert flags == 0


@pytest.mark.parametrize("id", BOTH)
def test_equals_gymnasium_anywhere_on_the_track(id):
    worst, flags = compare(id, 400, 2, torch.float64, TRACK)
    assert worst <= 1e-12
    assert flags == 0


@pytest.mark.parametrize("id", BOTH)
def test_equals_gymnasium_step_by_step_in_float32(id):
    assert compare(id, 5, 200, torch.float32)[0] <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("id", BOTH)
def test_equals_gymnasium_over_100_seeds_of_1000_steps(id):
    worst, flags = compare(id, 100, 1000, torch.float64)
    assert worst <= 1e-12
    assert flags == 0
    assert compare(id, 100, 1000, torch.float32)[0] <= 1e-5


def test_equals_gymnasium_under_other_physics():
    physics = {
        "gravity": 0.004,
        "min_position": -1.0,
        "max_position": 0.5,
        "max_speed": 0.05,
        "goal_position": 0.3,
        "goal_velocity": 0.02,
    }
    theirs = gymnasium.make("MountainCar-v0").unwrapped
    for name, value in {**physics, "force": 0.003}.items():
        setattr(theirs, name, value)
    params, author = MountainCarParams(power=0.003, **physics), MountainCar(torch.float64)
    states = TRACK(random.split(KEY, 200))
    ours = author.transition(states, torch.full((200,), 2), KEY, params)
    flags = author.terminal(ours, KEY, params)
    for state, after, flag in zip(states, ours, flags, strict=True):
        theirs.state = state.numpy()
        _, _, terminated, _, _ = theirs.step(2)
        assert after.tolist() == pytest.approx(theirs.state, abs=1e-12)
        assert bool(flag) == terminated
    assert 0 < flags.sum() < 200


@pytest.mark.parametrize(("author", "action"), [(MountainCar(), 0), (MountainCarContinuous(), [-1.0])])
def test_the_wall_stops_the_car(author, action):
    after = author.transition(torch.tensor([-1.19, -0.06]), torch.tensor(action), KEY)
    assert after.tolist() == [pytest.approx(-1.2), 0.0]


@pytest.mark.parametrize(("author", "goal"), [(MountainCar(), 0.5), (MountainCarContinuous(), 0.45)])
def test_terminal_on_the_goal_but_not_before_it_nor_rolling_back(author, goal):
    states = torch.tensor([[goal, 0.0], [goal - 0.001, 0.05], [goal + 0.05, -0.001], [0.6, 0.07]])
    assert author.terminal(states, KEY).tolist() == [True, False, False, True]


def test_every_step_costs_one_the_last_one_too():
    goal = torch.tensor([0.55, 0.01])
    assert MountainCar().reward(goal, torch.tensor(1), goal, KEY) == -1.0


@pytest.mark.parametrize(("action", "reward"), [(0.5, 99.975), (-3.0, 99.1), (0.0, 100.0)])
def test_the_continuous_goal_pays_100_less_the_squared_action_which_is_not_clipped(action, reward):
    goal, valley = torch.tensor([0.5, 0.01]), torch.tensor([-0.5, 0.0])
    push = torch.tensor([action])
    author = MountainCarContinuous()
    assert author.reward(valley, push, goal, KEY) == pytest.approx(reward)
    assert author.reward(goal, push, valley, KEY) == pytest.approx(reward - 100, abs=1e-6)


def test_a_push_beyond_its_limit_moves_like_the_limit():
    state, author = torch.tensor([-0.3, 0.01]), MountainCarContinuous()
    strong, limit = (author.transition(state, torch.tensor([push]), KEY) for push in (5.0, 1.0))
    assert torch.equal(strong, limit)


@pytest.mark.parametrize("author", [MountainCar(), MountainCarContinuous()])
def test_an_episode_begins_at_rest_at_the_bottom_with_another_position_in_every_row(author):
    state = author.initial(random.split(KEY, 1000))
    assert state.shape == (1000, 2)
    assert (state[:, 0] >= -0.6).all()
    assert (state[:, 0] <= -0.4).all()
    assert state[:, 0].unique().numel() > 980
    assert (state[:, 1] == 0).all()


def test_physics_of_one_tensor_for_each_row_equals_each_row_alone():
    state, action = MountainCar().initial(random.split(KEY, 3)), torch.tensor([0, 1, 2])
    power, wall = torch.tensor([0.0, 0.001, 0.01]), torch.tensor([-1.2, -0.45, -1.0])
    batch = MountainCar().transition(state, action, KEY, MountainCarParams(power=power, min_position=wall))
    for i in range(3):
        physics = MountainCarParams(power=power[i], min_position=wall[i])
        assert torch.equal(batch[i], MountainCar().transition(state[i], action[i], KEY, physics))


def test_gradient_of_the_dynamics_is_that_of_finite_differences():
    def loss(state, action, power):
        params = MountainCarParams(power=power)
        return MountainCarContinuous().transition(state, action, KEY, params).square().sum()

    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in ([-0.7, 0.02], [0.5], 0.001)]
    assert torch.autograd.gradcheck(loss, inputs)
