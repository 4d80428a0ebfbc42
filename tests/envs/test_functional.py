from typing import NamedTuple

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.experimental.functional import FuncEnv

from frl import TensorDict, random, tree
from frl.envs import FunctionalEnv, check_env, ids, make
from frl.specs import Binary, MultiCategorical, MultiOneHot
from tests.envs.worlds import varied
from tests.rank_guard import RankGuard
from tests.traced import traced

KEY = random.key(0)


class Place(NamedTuple):
    x: torch.Tensor
    past: dict


class Walk(FuncEnv):
    """A walk on the line by the action, with noise; its state is a pytree and its observation a dict."""

    observation_space = gymnasium.spaces.Dict(
        {"x": gymnasium.spaces.Box(-np.inf, np.inf, (1,)), "n": gymnasium.spaces.Discrete(1000)}
    )
    action_space = gymnasium.spaces.Discrete(3)

    def initial(self, rng, params=None):
        n = torch.zeros(rng.shape[:-1], dtype=torch.int64)
        return Place(random.normal((), rng), {"n": n})

    def transition(self, state, action, rng, params=None):
        return Place(state.x + (action - 1) + random.normal((), rng), {"n": state.past["n"] + 1})

    def observation(self, state, rng, params=None):
        return {"x": state.x.unsqueeze(-1), "n": state.past["n"].clone()}

    def reward(self, state, action, next_state, rng, params=None):
        return next_state.x - state.x

    def terminal(self, state, rng, params=None):
        return state.x.abs() > 5


def test_a_state_may_be_any_pytree_and_an_observation_a_dict():
    td = FunctionalEnv(Walk(), [2]).rollout(4, key=KEY, break_when_any_done=False)
    assert td["state", "past.n"].tolist() == [[0, 1, 2, 3]] * 2
    assert td["next", "n"].tolist() == [[1, 2, 3, 4]] * 2
    assert td["x"].shape == (2, 4, 1)


@pytest.mark.parametrize(("categorical", "shape"), [(False, (2, 3)), (True, (2,))])
def test_a_discrete_action_is_one_hot_or_an_integer(categorical, shape):
    env = FunctionalEnv(Walk(), [2], categorical_actions=categorical)
    td = env.rand_step(env.reset(KEY), KEY)
    assert td["action"].shape == shape


def test_one_hot_and_integer_actions_lead_to_the_same():
    k_reset, k_step = random.split(KEY)
    one_hot, integer = FunctionalEnv(Walk()), FunctionalEnv(Walk(), categorical_actions=True)
    a = one_hot.step(one_hot.reset(k_reset).set("action", torch.tensor([0, 0, 1])), k_step)
    b = integer.step(integer.reset(k_reset).set("action", torch.tensor(2)), k_step)
    assert torch.equal(a["next", "x"], b["next", "x"])


class Locks(FuncEnv):
    """Two locks, of two and of three positions, set by the action: each position is seen, and which is not zero."""

    observation_space = gymnasium.spaces.Dict(
        {"position": gymnasium.spaces.MultiDiscrete([2, 3]), "set": gymnasium.spaces.MultiBinary(2)}
    )
    action_space = gymnasium.spaces.MultiDiscrete([2, 3])

    def initial(self, rng, params=None):
        return torch.zeros(*rng.shape[:-1], 2, dtype=torch.int64)

    def transition(self, state, action, rng, params=None):
        return action.to(torch.int64)

    def observation(self, state, rng, params=None):
        return {"position": state.clone(), "set": (state > 0).to(torch.int8)}

    def reward(self, state, action, next_state, rng, params=None):
        return next_state.sum(-1).float()

    def terminal(self, state, rng, params=None):
        return (state < 0).any(-1)


class Switches(Locks):
    """The same by two switches."""

    action_space = gymnasium.spaces.MultiBinary(2)


SEVERAL = [
    (FunctionalEnv(Locks(), [3]), MultiOneHot([2, 3]), [0, 1, 0, 0, 1], [1, 2]),
    (FunctionalEnv(Locks(), [3], categorical_actions=True), MultiCategorical([2, 3]), [1, 2], [1, 2]),
    (FunctionalEnv(Switches(), [3]), Binary(2), [0, 1], [0, 1]),
]


@pytest.mark.parametrize(("env", "spec", "action", "position"), SEVERAL)
def test_several_choices_at_once_are_actions_and_observations(env, spec, action, position):
    assert env.single_action_spec == spec
    td = env.step(env.reset(KEY).set("action", torch.tensor([action] * 3, dtype=spec.dtype)), KEY)
    assert td["next", "position"].tolist() == [position] * 3
    assert td["next", "set"].tolist() == [[int(p > 0) for p in position]] * 3
    drawn = env.rand_step(td, KEY)
    assert env.action_spec.contains(drawn["action"])
    assert env.observation_spec.contains(drawn["next"])


def test_an_environment_of_several_choices_keeps_its_word():
    check_env(FunctionalEnv(Locks(), [3]), num_steps=4, deterministic=True)


def test_a_row_does_not_depend_on_the_number_of_rows():
    few, many = (make("CartPole-v1", [n]).rollout(8, key=KEY, break_when_any_done=False) for n in (2, 5))
    assert torch.equal(few["observation"], many["observation"][:2])


def test_rows_draw_their_own_noise():
    td = FunctionalEnv(Walk(), [50]).rollout(2, key=KEY, break_when_any_done=False)
    assert td["next", "reward"].unique().numel() == 100


def test_equal_keys_give_equal_episodes_and_other_keys_others():
    env = make("Pendulum-v1", [2])
    a, b, c = (env.rollout(5, key=random.key(seed)) for seed in (1, 1, 2))
    assert bool((a == b).all())
    assert not torch.equal(a["observation"], c["observation"])


def test_physics_can_be_vmapped():
    env = make("Pendulum-v1", [2])

    def rollout(gravity, key):
        return env.with_params(env.params._replace(gravity=gravity)).rollout(5, key=key)

    gravity, keys = torch.tensor([1.0, 9.8, 20.0]), random.split(KEY, 3)
    together = torch.vmap(rollout)(gravity, keys)
    assert together.batch_size == (3, 2, 5)
    for i in range(3):
        alone = env.with_params(env.params._replace(gravity=gravity[i])).rollout(5, key=keys[i])
        assert torch.allclose(together["observation"][i], alone["observation"], atol=1e-6)


def test_with_params_leaves_the_environment_as_it_is():
    env = make("CartPole-v1")
    other = env.with_params(env.params._replace(gravity=1.0))
    assert (env.params.gravity, other.params.gravity) == (9.8, 1.0)


def test_the_return_can_be_differentiated_in_the_actions_and_the_physics():
    env = make("Pendulum-v1")

    def episode_return(torque, gravity):
        physics = env.with_params(env.params._replace(gravity=gravity))
        td = physics.rollout(5, lambda td: td.set("action", torque), KEY, break_when_any_done=False)
        return td["next", "reward"].sum()

    torque, gravity = torch.tensor([0.3]), torch.tensor(9.8)
    grads = torch.func.grad(episode_return, argnums=(0, 1))(torque, gravity)
    step = 1e-2
    by_torque = (episode_return(torque + step, gravity) - episode_return(torque - step, gravity)) / (2 * step)
    by_gravity = (episode_return(torque, gravity + step) - episode_return(torque, gravity - step)) / (2 * step)
    assert torch.allclose(grads[0], by_torque, rtol=1e-2)
    assert torch.allclose(grads[1], by_gravity, rtol=1e-2)


def test_a_compiled_rollout_equals_the_eager_one():
    env = make("CartPole-v1", [2])

    def rollout(key):
        return env.rollout(4, key=key, break_when_any_done=False)

    compiled = torch.compile(rollout, backend="aot_eager", fullgraph=True)(KEY)
    for (name, x), y in zip(tree.named_leaves(rollout(KEY)), tree.leaves(compiled), strict=True):
        assert torch.allclose(x.double(), y.double(), atol=1e-6), name


@pytest.mark.parametrize("id", ids())
def test_a_traced_rollout_equals_the_eager_one(id):
    env = make(id, [2])

    def rollout(key):
        return env.rollout(4, key=key, break_when_any_done=False)

    for (name, x), y in zip(tree.named_leaves(rollout(KEY)), tree.leaves(traced(rollout)(KEY)), strict=True):
        assert torch.allclose(x.double(), y.double(), atol=1e-6), name


@pytest.mark.parametrize("id", ids())
def test_physics_of_one_tensor_for_each_row_equal_each_row_alone(id):
    env, keys = make(id, [3]), random.split(KEY, 3)
    params = varied(env.params)
    env = env.with_params(params)
    td = env.rand_step(env.reset(keys), keys)
    for i in range(3):
        alone = make(id).with_params(tree.map(lambda x: x[i], params))  # noqa: B023
        expected = alone.rand_step(alone.reset(keys[i]), keys[i])
        for (name, x), y in zip(tree.named_leaves(expected), tree.leaves(td[i]), strict=True):
            assert torch.allclose(x.double(), y.double(), atol=1e-6), name


@pytest.mark.parametrize("id", ids())
def test_float64_stays_float64(id):
    author = type(make(id).func_env)
    env = FunctionalEnv(author(dtype=torch.float64), [2], max_steps=2)
    _, td = env.step_and_reset(env.rand_action(env.reset(KEY), KEY), KEY)
    td, _ = env.step_and_reset(env.rand_action(td, KEY), KEY)
    floats = [x.dtype for _, x in tree.named_leaves(td) if x.is_floating_point()]
    assert set(floats) == {torch.float64}
    assert env.reward_spec.contains(td["next", "reward"])


@pytest.mark.parametrize("id", ids())
def test_nothing_is_broadcast_in_silence(id):
    author, keys = make(id).func_env, random.split(KEY, 3)
    state, action = author.initial(keys), torch.ones(3, *author.action_space.shape)
    with RankGuard():
        after = author.transition(state, action, keys)
        author.reward(state, action, after, keys)
        author.terminal(after, keys)


def test_a_reset_without_a_batch_has_batch_size_zero():
    td = make("CartPole-v1").reset(KEY)
    assert isinstance(td, TensorDict)
    assert td.batch_size == ()
    assert td["done"].shape == (1,)


def broken(**methods):
    return type("Broken", (Walk,), methods)()


BROKEN = {
    "a reward of the wrong rank": (
        {"reward": lambda self, s, a, t, rng, params=None: t.x.unsqueeze(-1)},
        r"Broken.reward returned torch.float32 \[2, 1\] but must return floating point \[2\]",
    ),
    "an integer reward": (
        {"reward": lambda self, s, a, t, rng, params=None: t.past["n"]},
        r"Broken.reward returned torch.int64",
    ),
    "a terminal flag as a number": (
        {"terminal": lambda self, s, rng, params=None: s.x},
        r"Broken.terminal returned torch.float32",
    ),
    "an observation of the wrong shape": (
        {"observation": lambda self, s, rng, params=None: {"x": s.x, "n": s.past["n"]}},
        r"Broken.observation: 'x' is torch.float32 \[2\] but observation_space says torch.float32 \[2, 1\]",
    ),
    "a state that changes its dtype": (
        {"transition": lambda self, s, a, rng, params=None: Place(s.x.double(), s.past)},
        r"Broken.(transition|reward|observation)",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_author_who_breaks_the_contract_is_told_at_construction(name):
    methods, message = BROKEN[name]
    with pytest.raises((ValueError, TypeError), match=message):
        FunctionalEnv(broken(**methods), [2])


def test_a_time_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="max_steps is 0"):
        FunctionalEnv(Walk(), max_steps=0)


def test_keys_for_each_row_make_it_what_it_is_alone():
    keys = random.split(random.key(0), 3)
    batch, one = make("CartPole-v1", 3), make("CartPole-v1")
    td = batch.rand_action(batch.reset(keys), keys)
    alone = one.rand_action(one.reset(keys[1]), keys[1])
    after, other = batch.step_and_reset(td, keys), one.step_and_reset(alone, keys[1])
    assert all(bool((x[1] == y).all()) for x, y in zip(after, other, strict=True))
