"""What holds for every transform; a new one is one row of `registry.py`."""

from functools import cache

import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, random, transforms, tree
from frl.envs import GymEnv, check, check_env
from frl.envs.base import promote
from frl.specs import Composite
from frl.transforms import Compose, Transform, TransformedEnv
from tests.purity import Purity
from tests.traced import traced
from tests.transforms.registry import CASES
from tests.transforms.worlds import pendulum, scene

every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
KEY = random.key(3)
LENGTH = 12


def trajectory(env, key=KEY, length=LENGTH):
    """[*B, T] with resets where episodes end, and the roots as the policy saw them."""
    k_reset, k_steps = random.split(key)
    td, steps = env.reset(k_reset), []
    for k in random.split(k_steps, length):
        k_action, k_step = random.split(k)
        step, td = env.step_and_reset(env.rand_action(td, k_action), k_step)
        steps.append(step)
    return tree.stack(steps, len(env.batch_size))


def same(x, y, exactly=True):
    assert [name for name, _ in tree.named_leaves(x)] == [name for name, _ in tree.named_leaves(y)]
    for (name, a), b in zip(tree.named_leaves(x), tree.leaves(y), strict=True):
        tolerance = {"rtol": 0, "atol": 0} if exactly else {"rtol": 1e-5, "atol": 1e-5}
        assert_close(a, b, **tolerance, msg=lambda text: f"{name}: {text}")  # noqa: B023


@cache
def shown_by(case):
    """The trajectory in the environment of a case, which no test changes."""
    return trajectory(environment(case))


def environment(case):
    return TransformedEnv(case.world(), case.make())


def test_every_public_transform_has_a_row():
    public = {x for x in vars(transforms).values() if isinstance(x, type) and issubclass(x, Transform)}
    public -= {Transform, transforms.Entrywise, Compose, transforms.Reward2GoTransform}
    made = {type(t) for case in CASES for t in Compose(case.make())}
    assert public <= made


@every
def test_alone_it_is_what_it_is_in_a_compose(case):
    same(shown_by(case), trajectory(TransformedEnv(case.world(), Compose(case.make()))))


@every
def test_appended_it_is_what_it_is_from_the_beginning(case):
    appended = TransformedEnv(case.world()).append_transform(case.make())
    same(shown_by(case), trajectory(appended))


@every
def test_nothing_is_written_and_torch_draws_nothing(case):
    env = environment(case)
    td = env.rand_action(env.reset(KEY), KEY)
    generator = torch.get_rng_state()
    with Purity(td, KEY):
        env.step_and_reset(td, KEY)
    assert torch.equal(generator, torch.get_rng_state())


@every
def test_the_root_keeps_what_the_policy_wrote(case):
    env = environment(case)
    td = env.rand_action(env.reset(KEY), KEY).set("value", torch.ones(3, 1))
    same(env.step(td, KEY).exclude("next"), td)


@every
def test_what_is_shown_lies_in_the_specs(case):
    env = environment(case)
    td = shown_by(case)
    shown = Composite({**env.single_observation_spec, **env.single_info_spec})
    for seen in (td, td["next"]):
        assert shown.explain(seen) is None
    assert env.single_action_spec.explain(td["action"]) is None
    assert env._single_reward_spec.explain(td["next", "reward"]) is None
    assert td["next", "reward"].dtype == env.reward_dtype
    # and nothing else is shown
    rest = {"reward", "done", "terminated", "truncated", "transform_state"}
    assert set(td["next"]) - rest == set(shown)
    if env.max_steps is not None:
        assert env.rollout(40, key=KEY).batch_size[-1] <= env.max_steps


@every
def test_what_follows_is_next_or_a_fresh_beginning(case):
    td = shown_by(case)
    ended = td["next", "done"].squeeze(-1)[:, :-1]
    assert ended.any()
    kept = promote(td)[:, :-1]
    for name in kept.exclude("transform_state", "done", "terminated", "truncated"):
        following, after = td[name][:, 1:], kept[name]
        same(TensorDict({"x": following[~ended]}), TensorDict({"x": after[~ended]}))


@every
def test_vmap_over_keys_equals_the_loop(case):
    env, keys = environment(case), random.split(KEY, 2)

    def advance(key):
        k_reset, k_action, k_step = random.split(key, 3)
        return env.step_and_reset(env.rand_action(env.reset(k_reset), k_action), k_step)

    same(torch.vmap(advance)(keys), tree.stack([advance(key) for key in keys]), exactly=False)


@every
def test_traced_equals_eager(case):
    env = environment(case)
    begun = env.rand_action(env.reset(KEY), KEY)

    def step(td):
        return env.step_and_reset(td, KEY)

    same(traced(step)(begun), step(begun), exactly=False)


@pytest.mark.parametrize("case", [c for c in CASES if c.replayed], ids=lambda case: case.name)
def test_data_are_shown_as_the_steps_were(case):
    env, bare = environment(case), TransformedEnv(case.world())
    k_reset, k_steps = random.split(KEY)
    shown, raw, steps, bare_steps = env.reset(k_reset), bare.reset(k_reset), [], []
    for k in random.split(k_steps, LENGTH):
        k_action, k_step = random.split(k)
        acted = env.rand_action(shown, k_action)
        step, shown = env.step_and_reset(acted, k_step)
        bare_step, raw = bare.step_and_reset(raw.set("action", acted["action"]), k_step)
        steps.append(step)
        bare_steps.append(bare_step)
    stepped, data = (
        tree.stack(x, 1).exclude("transform_state", ("next", "transform_state")) for x in (steps, bare_steps)
    )
    same(case.make()(data), stepped, exactly=False)


@every
def test_it_can_be_printed_and_not_be_changed(case):
    transform = case.make()
    assert repr(transform).startswith(type(transform).__name__)
    with pytest.raises((TypeError, AttributeError)):
        transform.in_keys = ["another"]


@every
def test_the_environment_keeps_its_word(case, monkeypatch):
    monkeypatch.setattr(check, "require_pure", lambda env, key: None)  # it compiles; vmap and tracing stand above
    check_env(environment(case), num_steps=8)


def test_a_chain_keeps_its_word_compiled_too():
    torch.compiler.reset()
    frames, counter = transforms.CatFrames(2, -1, ["observation"]), transforms.StepCounter(5)
    check_env(TransformedEnv(pendulum((2,)), Compose(frames, counter, transforms.RewardSum())), num_steps=8)


OVER_GYMNASIUM = {
    "noops": lambda: transforms.NoopResetEnv(3),
    "frames skipped": lambda: transforms.FrameSkipTransform(3),
    "a limit": lambda: Compose(transforms.StepCounter(4), transforms.InitTracker()),
    "frames": lambda: Compose(transforms.CatFrames(2, -1, ["observation"]), transforms.TimeMaxPool(2)),
    "statistics": lambda: Compose(transforms.VecNorm(), transforms.RewardSum()),
    "a chain": lambda: Compose(
        transforms.RenameTransform(["observation"], ["x"]),
        transforms.NoopResetEnv(2),
        transforms.DTypeCastTransform(torch.float32, torch.float64, ["x"]),
        transforms.TimeLimit(5),
        transforms.FrameSkipTransform(2),
        transforms.RewardClipping(0.0, 1.5),
    ),
}


@pytest.mark.parametrize("name", OVER_GYMNASIUM)
@pytest.mark.parametrize("num_envs", [None, 2])
def test_gymnasium_s_environments_keep_their_word_too(name, num_envs):
    with TransformedEnv(GymEnv("CartPole-v1", num_envs), OVER_GYMNASIUM[name]()) as env:
        check_env(env, num_steps=25)


def test_vmapped_physics_go_through():
    env = TransformedEnv(scene(), transforms.RewardScaling(0.0, 2.0))
    same(trajectory(env.with_params(None)), trajectory(env))
