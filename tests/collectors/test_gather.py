import pytest
import torch

from frl import random
from frl.collectors.gather import Gatherer, Group, Plan
from frl.collectors.weights import weights_of
from frl.envs import make
from tests.collectors import policies
from tests.envs import faulty

KEY = random.key(0)
PLAN = Plan("a test", 40, -1, -1, 0)


def gatherer(env, policy=None, group=None, plan=PLAN):
    one = Gatherer(env, policy, plan, group or Group(0, 1, 10))
    one.begin(KEY)
    return one


def test_groups_are_the_rows_of_the_whole():
    whole = gatherer(make("CartPole-v1", 6)).gather(None, 0)
    for i in range(3):
        part = gatherer(make("CartPole-v1", 2), group=Group(i, 3, 10)).gather(None, 0)
        assert bool((whole[2 * i : 2 * i + 2] == part).all())


def test_several_batch_axes_have_a_number_for_each_environment():
    batch = gatherer(make("CartPole-v1", (2, 3)), group=Group(1, 2, 4)).gather(None, 0)
    assert batch.batch_size == (2, 3, 4)
    assert batch["collector", "traj_ids"][..., 0].tolist() == [[6, 7, 8], [9, 10, 11]]


def test_weights_take_the_place_of_the_policys_own():
    policy = policies.constant()
    weights = {**weights_of(policy), "module.bias": torch.tensor([0.25])}
    one = gatherer(faulty.pendulum(), policy)
    assert one.gather(weights, 7)["action"].unique().tolist() == [0.25]
    batch = one.gather(None, 8)
    assert batch["action"].unique().tolist() == [0.5]
    assert batch["collector", "version"].unique().tolist() == [8]


def test_each_step_is_told_of():
    steps = []
    gatherer(faulty.cartpole()).gather(None, 0, lambda: steps.append(1))
    assert len(steps) == 10


def test_a_policy_with_a_key_gets_one_for_each_environment():
    shapes = set()

    def policy(td, key):
        shapes.add(tuple(key.shape))
        return td.set("action", random.uniform(1, key))

    gatherer(make("Pendulum-v1", (2, 3)), policy).gather(None, 0)
    gatherer(make("Pendulum-v1", 3), policy).gather(None, 0)
    gatherer(make("Pendulum-v1"), policy).gather(None, 0)
    assert shapes == {(2, 3, 2), (3, 2), (2,)}


def test_the_environments_own_state_stays_behind():
    batch = gatherer(make("CartPole-v1", 2)).gather(None, 0)
    assert not {"state", "step_count"} & {*batch, *batch["next"]}


def test_frames_are_a_multiple_of_the_environments():
    assert PLAN.num_steps(8) == 5
    with pytest.raises(ValueError, match=r"frames_per_batch is 40 but must be a multiple of the 6 .* give 36 or 42"):
        PLAN.num_steps(6)


def test_a_batch_that_was_refused_is_not_gone_on_with():
    """Its episodes were not counted, and the next ones would have had their numbers."""
    one = gatherer(make("CartPole-v1", 2), None)
    step = one._env.step_and_reset

    def broken(td, key):
        td, following = step(td, key)
        return td.set(("next", "reward"), td["next", "reward"] * float("nan")), following

    object.__setattr__(one._env, "step_and_reset", broken)
    with pytest.raises(ValueError, match="reward"):
        one.gather(None, 0)
    with pytest.raises(RuntimeError, match="the last batch was broken off"):
        one.gather(None, 0)
