import subprocess
import sys

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from frl import TensorDict, random
from frl.envs import GymEnv, GymWrapper, check_env, make, step_mdp
from frl.envs.vector import Vector
from frl.specs import Binary, MultiCategorical, MultiOneHot
from tests.envs.liars import GymLiar

KEY = random.key(0)
RIGHT = torch.tensor([0, 1])


def push_right(td):
    return td.set("action", RIGHT.expand(*td.batch_size, 2))


def still(td):
    return td.set("action", torch.zeros(*td.batch_size, 1))


def test_a_random_step_prints_as_it_should():
    env = GymEnv("Pendulum-v1")
    assert (
        repr(env.rand_step(env.reset()))
        == """TensorDict(
    fields={
        action: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.float32, is_shared=False),
        done: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False),
        next: TensorDict(
            fields={
                done: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False),
                observation: Tensor(shape=torch.Size([3]), device=cpu, dtype=torch.float32, is_shared=False),
                reward: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.float32, is_shared=False),
                terminated: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False),
                truncated: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False)},
            batch_size=torch.Size([]),
            device=cpu,
            is_shared=False),
        observation: Tensor(shape=torch.Size([3]), device=cpu, dtype=torch.float32, is_shared=False),
        terminated: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False),
        truncated: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False)},
    batch_size=torch.Size([]),
    device=cpu,
    is_shared=False)"""
    )


def test_preallocated_loop_stacked_loop_and_rollout_are_equal_under_one_seed():
    env, num_steps = GymEnv("Pendulum-v1"), 20

    env.set_seed(0)
    td, allocated = env.reset(), TensorDict({}, [num_steps])
    for i in range(num_steps):
        step = env.step(still(td))
        allocated = allocated.at[i].set(step)
        td = step_mdp(step)

    env.set_seed(0)
    td, steps = env.reset(), []
    for _ in range(num_steps):
        steps.append(env.step(still(td)))
        td = step_mdp(steps[-1])

    env.set_seed(0)
    assert bool((torch.stack(steps, 0) == allocated).all())
    assert bool((env.rollout(policy=still, max_steps=num_steps) == allocated).all())


def test_the_name_and_the_batch_size_are_printed():
    assert repr(GymEnv("Pendulum-v1")) == "GymEnv(env=Pendulum-v1, batch_size=torch.Size([]), device=cpu)"
    wrapper = GymWrapper(gymnasium.make("CartPole-v1"))
    assert repr(wrapper) == "GymWrapper(env=CartPole-v1, batch_size=torch.Size([]), device=cpu)"


def test_the_time_limit_is_gymnasiums():
    assert GymEnv("Pendulum-v1").max_steps == 200
    td = GymEnv("Pendulum-v1", num_envs=2).rollout(300)
    assert td.batch_size == (2, 200)
    assert td["next", "truncated"][:, -1].all()
    assert not td["next", "terminated"].any()


def test_an_episode_equals_gymnasiums():
    ours, theirs = GymEnv("CartPole-v1"), gymnasium.make("CartPole-v1")
    td = ours.rollout(100, push_right, KEY)
    k_reset = random.split(KEY)[0]
    theirs.reset(seed=int(random.bits((), k_reset)))
    for i in range(td.batch_size[0]):
        observation, reward, terminated, truncated, _ = theirs.step(1)
        assert td["next", "observation"][i].tolist() == observation.tolist()
        assert td["next", "reward"][i] == reward
        assert (bool(td["next", "terminated"][i]), bool(td["next", "truncated"][i])) == (terminated, truncated)


def test_environments_that_are_done_start_afresh_and_the_others_go_on():
    env = GymEnv("CartPole-v1", num_envs=8)
    td, ends = env.reset(), 0
    for _ in range(40):
        td, following = env.step_and_reset(env.rand_action(td))
        done = td["next", "done"].squeeze(-1)
        assert torch.equal(following["observation"][~done], td["next", "observation"][~done])
        assert (following["observation"][done].abs() <= 0.05).all()
        assert (td["next", "observation"][done][:, 2].abs() > 0.2).all()
        assert not following["done"].any()
        ends, td = ends + int(done.sum()), following
    assert ends > 0


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("vector", [SyncVectorEnv, AsyncVectorEnv])
def test_gymnasiums_own_vectors_give_the_same_as_ours(vector):
    makers = [lambda: gymnasium.make("CartPole-v1")] * 2
    theirs = GymWrapper(vector(makers, autoreset_mode=AutoresetMode.DISABLED))
    with theirs, GymEnv("CartPole-v1", num_envs=2) as ours:
        a, b = ours.reset(KEY), theirs.reset(KEY)
        for i in range(25):
            step, a = ours.step_and_reset(ours.rand_action(a, random.key(i)))
            other, b = theirs.step_and_reset(theirs.rand_action(b, random.key(i)))
            assert bool((step == other).all())
            assert bool((a == b).all())


def test_equal_keys_give_equal_episodes_and_other_keys_others():
    env = GymEnv("CartPole-v1", num_envs=2)
    a, b, c = (env.rollout(5, key=random.key(seed)) for seed in (1, 1, 2))
    assert bool((a == b).all())
    assert not torch.equal(a["observation"], c["observation"])


def test_equal_seeds_give_equal_environments_and_every_reset_is_another():
    a, b = GymEnv("Pendulum-v1", seed=3), GymEnv("Pendulum-v1", seed=3)
    first, second = a.reset()["observation"], a.reset()["observation"]
    assert torch.equal(first, b.reset()["observation"])
    assert not torch.equal(first, second)


def test_results_keep_their_values_when_gymnasium_writes_its_arrays_again():
    env = GymEnv("CartPole-v1", num_envs=2)
    td = env.step(push_right(env.reset()))
    before = td["next", "observation"].clone()
    env.step(push_right(td["next"].exclude("reward")))
    assert torch.equal(td["next", "observation"], before)


def test_float64_becomes_float32_in_observations_actions_and_rewards():
    class Double(GymLiar):
        observation_space = gymnasium.spaces.Box(-10, 10, (4,), np.float64)

        def __init__(self):
            super().__init__(lambda o, r, e, c: (o.astype(np.float64), np.float64(r), e, c))
            self.observation_space = gymnasium.spaces.Box(-10, 10, (4,), np.float64)

    env = GymWrapper(Double())
    td = env.step(push_right(env.reset()))
    assert env.observation_spec["observation"].dtype == torch.float32
    assert (td["next", "observation"].dtype, td["next", "reward"].dtype) == (torch.float32, torch.float32)


def test_a_dict_of_observations_becomes_keys_nested_ones_too():
    box, discrete = gymnasium.spaces.Box(-1, 1, (2,)), gymnasium.spaces.Discrete(3)

    class Nested(gymnasium.Env):
        observation_space = gymnasium.spaces.Dict({"eye": gymnasium.spaces.Dict({"left": box}), "mood": discrete})
        action_space = gymnasium.spaces.Discrete(2)
        seen: dict = {"eye": {"left": np.ones(2, np.float32)}, "mood": 2}  # noqa: RUF012

        def reset(self, *, seed=None, options=None):
            return self.seen, {}

        def step(self, action):
            return self.seen, 1.0, False, False, {}

    env = GymWrapper(Nested())
    td = env.rollout(3)
    assert td["next", "eye", "left"].shape == (3, 2)
    assert td["next", "mood"].tolist() == [2, 2, 2]
    assert env.observation_spec.contains(env.reset())


@pytest.mark.parametrize(("categorical", "shape"), [(False, (2, 4)), (True, (2,))])
def test_a_discrete_action_is_one_hot_or_an_integer(categorical, shape):
    env = GymEnv("FrozenLake-v1", num_envs=2, categorical_actions=categorical)
    assert env.rand_step(env.reset())["action"].shape == shape


def test_an_action_that_requires_a_gradient_is_detached():
    env = GymEnv("Pendulum-v1")
    td = env.step(env.reset().set("action", torch.zeros(1, requires_grad=True)))
    assert not td["next", "reward"].requires_grad


def test_infinite_rewards_of_both_signs_are_no_nan():
    env = GymWrapper(GymLiar(lambda o, r, e, c: (o, np.inf, e, c)))
    assert env.step(push_right(env.reset()))["next", "reward"] == np.inf


def test_a_pure_environment_and_gymnasiums_show_the_same_keys_and_shapes():
    ours, theirs = make("CartPole-v1", 2).reset(KEY), make("gym:CartPole-v1", 2).reset(KEY)
    assert {k: (v.shape, v.dtype) for k, v in theirs.items()} == {
        k: (ours[k].shape, ours[k].dtype) for k in ours if k not in ("state", "step_count")
    }


def ended():
    env = GymEnv("CartPole-v1", num_envs=2)
    td = env.rollout(100, push_right)
    return env, td[:, -1]


def closed():
    env = GymEnv("CartPole-v1")
    env.reset()
    env.close()
    return env


def nan_at_1():
    honest = GymLiar()
    lying = GymLiar(lambda o, r, e, c: (o, float("nan"), e, c))
    vector = SyncVectorEnv([lambda: honest, lambda: lying], autoreset_mode=AutoresetMode.DISABLED)
    return GymWrapper(vector)


def reset_and_step(env, action=RIGHT):
    return env.step(env.reset().set("action", action))


BAD = {
    "an unknown name": (ValueError, "'CartPol-v1'.*CartPole-v1", lambda: GymEnv("CartPol-v1")),
    "a step before a reset": (
        RuntimeError,
        "before a reset; call env.reset",
        lambda: GymEnv("CartPole-v1").step(TensorDict({"action": RIGHT})),
    ),
    "a step after the end": (
        RuntimeError,
        r"after the end of environments? .*step_and_reset",
        lambda: (lambda env, td: env.step(push_right(td)))(*ended()),
    ),
    "a step after close": (
        RuntimeError,
        r"after close\(\); make another one",
        lambda: closed().step(TensorDict({"action": RIGHT})),
    ),
    "a reset after close": (RuntimeError, r"after close\(\)", lambda: closed().reset()),
    "a NaN reward": (
        ValueError,
        '"reward" of environment 1 is nan but must be a number.*RewardWrapper',
        lambda: reset_and_step(nan_at_1(), RIGHT.expand(2, 2)),
    ),
    "an action of the wrong shape": (
        ValueError,
        r'"action" has shape \[3\] but must have \[2\]',
        lambda: reset_and_step(GymEnv("CartPole-v1"), torch.zeros(3, dtype=torch.int64)),
    ),
    "an action of the wrong dtype": (
        TypeError,
        '"action" is torch.int64 but must be torch.float32',
        lambda: reset_and_step(GymEnv("Pendulum-v1"), torch.zeros(1, dtype=torch.int64)),
    ),
    "a policy that writes no action": (
        ValueError,
        'td has no "action"',
        lambda: GymEnv("CartPole-v1").rollout(3, lambda td: td),
    ),
    "an observation of the wrong shape": (
        ValueError,
        r"environment 0: 'observation' has shape \[3\] but observation_space says \[4\]",
        lambda: reset_and_step(GymWrapper(GymLiar(lambda o, r, e, c: (o[:3], r, e, c)))),
    ),
    "a vector that resets itself": (
        ValueError,
        "resets itself.*AutoresetMode.DISABLED",
        lambda: GymWrapper(gymnasium.make_vec("CartPole-v1", 2)),
    ),
    "a space without a spec": (TypeError, "Tuple.*no spec", lambda: GymEnv("Blackjack-v1")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    kind, message, call = BAD[name]
    with pytest.raises(kind, match=message):
        call()


def test_a_context_closes_and_closing_twice_is_no_error():
    with GymEnv("CartPole-v1") as env:
        env.reset()
    env.close()
    with pytest.raises(RuntimeError, match="close"):
        env.reset()


def test_a_refused_step_can_be_followed_by_a_reset():
    env, td = ended()
    with pytest.raises(RuntimeError, match="after the end"):
        env.step(push_right(td))
    assert env.step(push_right(env.reset()))["next", "reward"].tolist() == [[1.0], [1.0]]


@pytest.mark.slow
def test_seeds_hold_across_processes():
    program = "from frl.envs import GymEnv; print(GymEnv('Pendulum-v1', seed=5).reset()['observation'].tolist())"
    outputs = {subprocess.run([sys.executable, "-c", program], capture_output=True).stdout for _ in range(2)}
    assert len(outputs) == 1


class Locks(gymnasium.Env):
    """Two locks, of two and of three positions; the action, a position of each or two switches, sets them."""

    observation_space = gymnasium.spaces.Dict(
        {"position": gymnasium.spaces.MultiDiscrete([2, 3]), "set": gymnasium.spaces.MultiBinary(2)}
    )

    def __init__(self, action_space):
        self.action_space = action_space

    def reset(self, *, seed=None, options=None):
        return self.observed(np.zeros(2, np.int64)), {}

    def step(self, action):
        assert self.action_space.contains(action)
        return self.observed(action), float(action.sum()), False, False, {}

    def observed(self, position):
        return {"position": position.astype(np.int64), "set": (position > 0).astype(np.int8)}


SEVERAL = [
    (gymnasium.spaces.MultiDiscrete([2, 3]), False, MultiOneHot([2, 3]), [0, 1, 0, 0, 1], [1, 2]),
    (gymnasium.spaces.MultiDiscrete([2, 3]), True, MultiCategorical([2, 3]), [1, 2], [1, 2]),
    (gymnasium.spaces.MultiBinary(2), False, Binary(2), [0, 1], [0, 1]),
]


@pytest.mark.parametrize(("space", "categorical", "spec", "action", "position"), SEVERAL)
@pytest.mark.parametrize("batch", [[], [2]])
def test_several_choices_at_once_are_actions_and_observations(space, categorical, spec, action, position, batch):
    def make_locks():
        return Locks(space)

    inner = SyncVectorEnv([make_locks] * 2, autoreset_mode=AutoresetMode.DISABLED) if batch else make_locks()
    env = GymWrapper(inner, categorical_actions=categorical)
    assert env.single_action_spec == spec
    td = env.step(env.reset(KEY).set("action", torch.tensor(action, dtype=spec.dtype).expand(*batch, len(action))))
    assert td["next", "position"].tolist() == torch.tensor(position).expand(*batch, 2).tolist()
    assert env.observation_spec.contains(td["next"])
    check_env(env, num_steps=4, deterministic=True)


def test_single_rows_are_begun_afresh_on_request():
    with GymEnv("CartPole-v1", num_envs=3) as env:
        after = env.rand_step(env.reset())["next"].set("done", torch.tensor([[True], [False], [True]]))
        begun = env.restart(after)
        assert (begun["observation"] == after["observation"]).all(-1).tolist() == [False, True, False]
        assert not begun["done"].any()


def test_it_renders_where_its_environments_stand():
    makers = [lambda: gymnasium.make("CartPole-v1", render_mode="rgb_array")] * 2
    for vector in (Vector(makers), SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)):
        env = GymWrapper(vector)
        env.reset(random.key(0))
        seen = env.render()
        assert (seen.shape, seen.dtype) == ((2, 400, 600, 3), torch.uint8)
        for i, each in enumerate(vector.envs):
            assert torch.equal(seen[i], torch.from_numpy(each.render().copy()))
        env.close()
        with pytest.raises(RuntimeError, match="after close"):
            env.render()


def test_what_was_made_without_a_renderer_says_how_to_make_it():
    with GymEnv("CartPole-v1") as env, pytest.raises(ValueError, match="make it with render_mode='rgb_array'"):
        env.render()


def test_keys_for_each_environment_make_a_row_what_it_is_alone():
    keys = random.split(random.key(0), 3)
    with GymEnv("CartPole-v1", num_envs=3) as three, GymEnv("CartPole-v1", num_envs=1) as one:
        td, alone = three.reset(keys), one.reset(keys[2:])
        for _ in range(40):
            _, td = three.step_and_reset(three.rand_action(td, keys), keys)
            _, alone = one.step_and_reset(one.rand_action(alone, keys[2:]), keys[2:])
            assert bool((td[2:] == alone).all())
        with pytest.raises(ValueError, match=r"key= has shape \[2, 2\] but must have \[2\], or \[3, 2\]"):
            three.reset(keys[:2])
