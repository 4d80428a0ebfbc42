from functools import partial

import gymnasium
import numpy as np
import pytest
import torch

from frl import TensorDict, random, tree
from frl.algorithms import PPOConfig, actor_critic, ppo
from frl.collectors import collect, start
from frl.envs import FunctionalEnv, GymEnv, GymWrapper, ParallelEnv, SerialEnv, make, step_mdp
from frl.envs.vector import Vector
from frl.specs import Unbounded
from frl.training import on_policy
from frl.training.checkpoint import load, save
from frl.transforms import (
    CatFrames,
    CatTensors,
    Compose,
    FrameSkipTransform,
    GrayScale,
    InitTracker,
    NoopResetEnv,
    ObservationNorm,
    RenameTransform,
    Resize,
    RewardScaling,
    RewardSum,
    SelectTransform,
    StepCounter,
    TensorDictPrimer,
    TimeLimit,
    ToTensorImage,
    TransformedEnv,
    VecNorm,
)
from tests.traced import traced
from tests.transforms.worlds import Count, PureCount, pendulum, scene

KEY = random.key(0)


def random_act(env):
    return lambda train, td, key: env.rand_action(td, key)


def batch_of(env, num_steps=12):
    runner = start(env, random.key(1))
    return collect(env, random_act(env), TensorDict(), runner, random.key(2), num_steps)[1]


class Picture(Count):
    """Shows an image in place of the count."""

    def __init__(self):
        super().__init__()
        self.observation_space = gymnasium.spaces.Dict(
            {"pixels": gymnasium.spaces.Box(0, 255, (6, 8, 3), np.uint8), "observation": Count.observation_space}
        )

    def seen(self, observation):
        return {"pixels": np.full((6, 8, 3), 10 * self.count, np.uint8), "observation": observation}

    def reset(self, **arguments):
        return self.seen(super().reset(**arguments)[0]), {}

    def step(self, action):
        observation, *rest = super().step(action)
        return self.seen(observation), *rest


def test_it_prints_as_torchrl_does():
    env = TransformedEnv(GymWrapper(Picture()), Compose(NoopResetEnv(3), ToTensorImage()))
    env = env.append_transform(ObservationNorm(in_keys=["pixels"], loc=2, scale=1))
    assert repr(env) == (
        "TransformedEnv(\n"
        "    env=GymWrapper(env=Picture, batch_size=torch.Size([]), device=cpu),\n"
        "    transform=Compose(\n"
        "            NoopResetEnv(noops=3, random=True),\n"
        "            ToTensorImage(keys=['pixels']),\n"
        "            ObservationNorm(loc=2.0000, scale=1.0000, keys=['pixels'])))"
    )
    assert repr(env.transform[2].parent) == (
        "TransformedEnv(\n"
        "    env=GymWrapper(env=Picture, batch_size=torch.Size([]), device=cpu),\n"
        "    transform=Compose(\n"
        "            NoopResetEnv(noops=3, random=True),\n"
        "            ToTensorImage(keys=['pixels'])))"
    )
    td = env.reset()
    assert sorted(td) == ["done", "observation", "pixels", "terminated", "truncated"]
    assert td["pixels"].shape == (3, 6, 8)
    assert (td["pixels"] >= 2).all()


def test_the_pixels_of_seed_001_are_what_is_printed_there():
    env = TransformedEnv(
        GymWrapper(Picture()),
        Compose(
            SelectTransform("pixels"),
            ToTensorImage(),
            GrayScale(),
            Resize(84, 84),
            StepCounter(),
            InitTracker(),
            RewardScaling(loc=0.0, scale=0.1),
            ObservationNorm(standard_normal=True, in_keys=["pixels"]),
        ),
    )
    env = env.transform[-1].init_stats(20, reduce_dim=[0, 1, 2], cat_dim=0, keep_dims=[0])
    td = env.reset()
    shown = {name: (tuple(x.shape), x.dtype) for name, x in tree.named_leaves(td)}
    flag = ((1,), torch.bool)
    assert shown == {
        **dict.fromkeys(("done", "is_init", "terminated", "truncated"), flag),
        "pixels": ((1, 84, 84), torch.float32),
        "step_count": ((1,), torch.int64),
    }
    assert td["is_init"]
    assert env.rand_step(td)["next", "reward"].item() == pytest.approx(0.1)


def test_a_training_state_with_it_is_saved_and_loaded(tmp_path):
    env = TransformedEnv(scene((2,)), Compose(*[TimeLimit(9)] * 11, VecNorm(["observation"])))
    runner = start(env, KEY)
    loaded = load(save(tmp_path, runner, step=0)).state
    assert [name for name, _ in tree.named_leaves(loaded)] == [name for name, _ in tree.named_leaves(runner)]
    assert env.transform[11].moments(loaded["td"])["observation"].num_values == 2


def test_appending_leaves_the_environment_as_it_is():
    env = TransformedEnv(scene(), StepCounter())
    longer = env.append_transform(InitTracker())
    assert "is_init" not in env.reset(KEY)
    assert "is_init" in longer.reset(KEY)


def test_a_transformed_env_of_another_is_one_with_both():
    env = TransformedEnv(TransformedEnv(scene(), StepCounter()), InitTracker())
    assert isinstance(env.base_env, FunctionalEnv)
    assert [type(t) for t in env.transform] == [StepCounter, InitTracker]


def test_the_parent_of_the_first_is_the_environment_without_any():
    env = TransformedEnv(scene(), Compose(StepCounter(), InitTracker()))
    parent = env.transform[0].parent
    assert "step_count" not in parent.reset(KEY)
    assert StepCounter().parent is None


def test_a_single_transform_stays_single():
    env = TransformedEnv(scene(), StepCounter())
    assert isinstance(env.transform, StepCounter)
    assert isinstance(env.transform.parent, TransformedEnv)


def test_what_the_base_reads_back_is_not_shown_and_cannot_be_disturbed():
    env = TransformedEnv(pendulum(max_steps=4), StepCounter(step_count_key="step_count"))
    td = env.reset(KEY)
    assert "state" not in td
    td = td.set("step_count", td["step_count"] + 100)  # what is shown is not what the base counts by
    assert not env.rand_step(td, KEY)["next", "truncated"].any()


def test_later_transforms_do_not_reach_what_earlier_ones_remember():
    frames = TransformedEnv(scene((2,)), Compose(ToTensorImage(), CatFrames(2)))
    scaled = frames.append_transform(ObservationNorm(0.0, 10.0, ["pixels"]))
    a, b = (batch_of(env, 4)["next", "pixels"] for env in (frames, scaled))
    torch.testing.assert_close(10 * a, b)


def test_collect_leaves_private_state_out_and_keeps_what_transforms_show():
    batch = batch_of(TransformedEnv(scene(), Compose(StepCounter(), InitTracker(), RewardSum())))
    assert "transform_state" not in batch
    assert "transform_state" not in batch["next"]
    assert {"step_count", "is_init", "episode_reward"} <= set(batch)


def test_collected_episodes_are_marked_counted_and_summed_from_their_beginnings():
    env = TransformedEnv(FunctionalEnv(PureCount(3), [1]), Compose(StepCounter(), InitTracker(), RewardSum()))
    batch = batch_of(env, 5)[0]
    assert batch["is_init"].flatten().tolist() == [True, False, False, True, False]
    assert batch["step_count"].flatten().tolist() == [0, 1, 2, 0, 1]
    assert batch["next", "step_count"].flatten().tolist() == [1, 2, 3, 1, 2]
    assert batch["next", "episode_reward"].flatten().tolist() == [1, 3, 6, 1, 3]
    assert torch.equal(batch["next", "episode_reward"][..., 0], batch["next", "episode_return"][..., 0])


@pytest.mark.parametrize(
    "make_transform",
    [
        lambda: Compose(StepCounter(), InitTracker(), RewardSum(), RewardScaling(1.0, 0.5)),
        lambda: CatFrames(3, -1, ["observation"]),
        lambda: TimeLimit(3),
        lambda: Compose(StepCounter(4), InitTracker()),
        lambda: VecNorm(["observation", "reward"]),
    ],
    ids=["marks", "frames", "limit", "counted limit", "statistics"],
)
def test_over_gymnasium_it_shows_what_it_shows_over_the_same_pure_environment(make_transform):
    gym = TransformedEnv(GymWrapper(Vector([lambda: Count(5), lambda: Count(5)])), make_transform())
    pure = TransformedEnv(FunctionalEnv(PureCount(5), [2]), make_transform())
    ours, theirs = (batch_of(env, 14).exclude("action") for env in (pure, gym))
    assert list(ours.keys(True)) == list(theirs.keys(True))
    for name, x in tree.named_leaves(ours):
        torch.testing.assert_close(dict(tree.named_leaves(theirs))[name], x, msg=name)


def test_a_limit_of_a_transform_begins_single_rows_of_a_shell_afresh():
    class Later(Count):
        def reset(self, **arguments):
            self.end = 3  # the second episode of each is shorter
            return super().reset(**arguments)

    env = TransformedEnv(GymWrapper(Vector([lambda: Count(9), Later])), TimeLimit(4))
    env.reset()
    batch = batch_of(env, 9)
    assert batch["observation"][0].flatten().tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    assert batch["observation"][1].flatten().tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2]
    assert batch["next", "truncated"].sum(1).flatten().tolist() == [2, 0]


def test_statistics_outlive_episodes():
    env = TransformedEnv(FunctionalEnv(PureCount(2), [3]), VecNorm(["observation"]))
    runner = start(env, KEY)
    runner, _ = collect(env, random_act(env), TensorDict(), runner, KEY, 7)
    moments = env.transform.moments(runner["td"])["observation"]
    assert moments.num_values == 3 * (1 + 7 + 3)  # the first, each successor, and the beginning of three more episodes
    values = torch.tensor([0.0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1])
    torch.testing.assert_close(moments.mean, values.mean(0, keepdim=True))
    torch.testing.assert_close(moments.var, values.var(0, correction=0, keepdim=True))


def test_a_primed_carry_goes_on_within_an_episode_and_begins_with_the_next():
    env = TransformedEnv(FunctionalEnv(PureCount(3), [1]), TensorDictPrimer({"carry": Unbounded(1)}))

    def act(train, td, key):
        return env.rand_action(td, key).set(("next", "carry"), td["carry"] + 1)

    _, batch = collect(env, act, TensorDict(), start(env, KEY), KEY, 5)
    assert batch["carry"].flatten().tolist() == [0, 1, 2, 0, 1]
    assert batch["next", "carry"].flatten().tolist() == [1, 2, 3, 1, 2]


def test_bookkeeping_is_no_observation_unless_it_is_joined_to_one():
    env = TransformedEnv(make("Pendulum-v1"), Compose(RewardSum(), CatTensors(["observation", "episode_reward"], "x")))
    assert list(env.single_observation_spec) == ["x"]
    assert env.observation_spec["x"].shape == (4,)
    assert list(TransformedEnv(make("Pendulum-v1"), StepCounter()).info_spec) == ["step_count"]


def test_bookkeeping_and_observations_may_stand_side_by_side():
    chain = Compose(RenameTransform(["observation"], [("info", "x")]), StepCounter(step_count_key=("info", "count")))
    env = TransformedEnv(make("Pendulum-v1"), chain)
    assert list(env.single_observation_spec["info"]) == ["x"]
    assert list(env.single_info_spec["info"]) == ["count"]


def test_an_algorithm_learns_in_it_as_in_any_environment():
    env = TransformedEnv(pendulum((4,)), Compose(ObservationNorm(0.0, 0.5), StepCounter(), RewardScaling(0.0, 0.1)))
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (8,))
    loop = on_policy(env, ppo(networks, PPOConfig(num_epochs=1, num_minibatches=2)), 8)
    state, metrics = loop.step(loop.init(KEY))
    assert metrics["episode_length"] == 0  # none has ended yet
    state, metrics = loop.step(state)
    assert metrics["episode_length"] == 9


def test_a_traced_collection_is_the_eager_one():
    env = TransformedEnv(
        FunctionalEnv(PureCount(5), [2]),
        Compose(FrameSkipTransform(2), NoopResetEnv(2), CatFrames(2, -1, ["observation"]), RewardSum(), StepCounter(2)),
    )

    def collected(runner):
        return collect(env, random_act(env), TensorDict(), runner, KEY, 6)

    begun = start(env, KEY)
    for (name, x), y in zip(tree.named_leaves(collected(begun)), tree.leaves(traced(collected)(begun)), strict=True):
        torch.testing.assert_close(y, x, msg=name)


def test_physics_go_through_and_can_be_vmapped():
    env = TransformedEnv(make("Pendulum-v1", [2]), Compose(RewardScaling(0.0, 2.0), NoopResetEnv(1)))

    def total(gravity, key):
        return env.with_params(env.params._replace(gravity=gravity)).rollout(3, key=key)["next", "reward"].sum()

    gravity = torch.tensor([1.0, 9.8])
    each = torch.stack([total(g, KEY) for g in gravity])
    torch.testing.assert_close(torch.vmap(total, (0, None))(gravity, KEY), each)
    assert each[0] != each[1]


def test_seeds_and_closing_go_through():
    env = TransformedEnv(GymEnv("CartPole-v1"), StepCounter())
    env.set_seed(3)
    first = env.rollout(5)
    env.set_seed(3)
    assert bool((env.rollout(5) == first).all())
    assert env.max_steps == 500
    with env:
        pass
    with pytest.raises(RuntimeError, match=r"after close\(\)"):
        env.reset()


def test_a_rollout_of_steps_by_hand_is_the_rollout():
    env = TransformedEnv(pendulum(()), Compose(StepCounter(), CatFrames(2, -1, ["observation"])))
    rollout = env.rollout(3, key=KEY)
    td = rollout[0].exclude("next", "action")
    for t in range(3):
        td = env.step(td.set("action", rollout["action"][t]), KEY)
        assert bool((td["next"] == rollout[t]["next"]).all())
        td = step_mdp(td)


def bad_inputs():
    env = TransformedEnv(scene(), Compose(StepCounter(), CatFrames(2, -1, ["observation"])))
    td = env.rand_action(env.reset(KEY), KEY)
    return {
        "no environment": (TypeError, "env is a int.*must be an Env", lambda: TransformedEnv(3)),
        "a list of transforms": (TypeError, "transform is a list.*Compose", lambda: TransformedEnv(scene(), [])),
        "no state": (ValueError, "begin with env.reset", lambda: env.step(td.exclude("transform_state"), KEY)),
        "a key that is not shown": (
            KeyError,
            "shows no 'pixel'",
            lambda: TransformedEnv(scene(), ToTensorImage(["pixel"])),
        ),
        "no action": (ValueError, '"action"', lambda: env.step(env.reset(KEY), KEY)),
        "no key": (TypeError, "key=.*None", lambda: env.reset()),
        "assignment": (TypeError, "immutable.*append_transform", lambda: setattr(env, "transform", None)),
        "a seed of a pure one": (TypeError, "no seed.*pass key=", lambda: env.set_seed(0)),
        "state of one without": (KeyError, "no state of transform 0", lambda: env.state_of(td, 0)),
    }


@pytest.mark.parametrize("name", bad_inputs())
def test_bad_input_is_named(name):
    kind, message, call = bad_inputs()[name]
    with pytest.raises(kind, match=f"(?s){message}"):
        call()


def test_a_transformed_environment_is_drawn_and_rendered_by_its_base():
    base = make("CartPole-v1", 2)
    env = TransformedEnv(base, Compose(RenameTransform(["observation"], ["state"]), StepCounter()))
    td = env.rollout(3, key=KEY)
    expected = base.draw(td.update(td["transform_state", "env"]), (8, 12))
    assert torch.equal(env.draw(td, (8, 12)), expected)
    shell = GymWrapper(gymnasium.make("CartPole-v1", render_mode="rgb_array"))
    for transform in (StepCounter(), FrameSkipTransform(2)):
        shown = TransformedEnv(shell, transform)
        shown.rand_step(shown.reset(KEY), KEY)
        assert torch.equal(shown.render(), shell.render())


@pytest.mark.parametrize("batched", [SerialEnv, partial(ParallelEnv, mp_start_method="fork")])
@pytest.mark.parametrize("inner", [Count, None])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_limit_may_stand_outside_of_several_environments(batched, inner):
    create = (lambda: GymWrapper(Count())) if inner else partial(pendulum, ())
    with TransformedEnv(batched(2, create), Compose(StepCounter(max_steps=3), TimeLimit(4))) as env:
        td, counts = env.reset(random.key(0)), []
        for k in random.split(random.key(1), 7):
            out, td = env.step_and_reset(env.rand_action(td, k), k)
            counts.append(out["next", "step_count"][0].item())
            assert not out["next", "terminated"].any()
        assert counts == [1, 2, 3, 1, 2, 3, 1]
        if inner:
            assert out["next", "observation"].flatten().tolist() == [1.0, 1.0]


def test_whether_steps_use_a_key_is_what_it_is_inside():
    assert not TransformedEnv(GymEnv("CartPole-v1"), StepCounter()).keyed_steps
    assert TransformedEnv(pendulum(), StepCounter()).keyed_steps
