import pytest
import torch

from frl import TensorDict, random, tree
from frl.envs import EnvCreator, GymEnv, SerialEnv, check_env
from tests.envs import faulty
from tests.envs.faulty import ALIKE, LIARS

KEY = random.key(0)


@pytest.mark.parametrize("name", ALIKE)
def test_each_row_is_a_separate_environment(name):
    create = ALIKE[name]
    env, apart = SerialEnv(3, create), [create() for _ in range(3)]
    keys = random.split(KEY, 20)
    td = env.reset(keys[0])
    rows = [each.reset(k) for each, k in zip(apart, random.split(keys[0], 3), strict=True)]
    for key in keys[1:]:
        out, following = env.step_and_reset(env.rand_action(td, key), key)
        for i, (each, k) in enumerate(zip(apart, random.split(key, 3), strict=True)):
            alone, rows[i] = each.step_and_reset(rows[i].set("action", out["action"][i]), k)
            assert bool((out["next"][i] == alone["next"]).all())
            assert bool((following[i] == rows[i]).all())
        td = following


@pytest.mark.parametrize("name", ALIKE)
def test_it_keeps_its_word(name):
    check_env(SerialEnv(2, ALIKE[name]), num_steps=25)


def test_one_function_for_each_worker():
    env = SerialEnv(2, [faulty.cartpole, EnvCreator(faulty.cartpole)])
    assert env.rollout(3)["next", "observation"].shape == (2, 3, 4)


def test_equal_seeds_and_keys_give_equal_rollouts():
    a, b = SerialEnv(2, faulty.pendulum, seed=3), SerialEnv(2, faulty.pendulum, seed=3)
    assert bool((a.rollout(4) == b.rollout(4)).all())
    assert bool((a.rollout(4, key=KEY) == a.rollout(4, key=KEY)).all())
    assert not torch.equal(a.reset()["observation"], a.reset()["observation"])


def test_a_pure_environment_goes_on_from_what_it_is_given():
    env = SerialEnv(2, faulty.pure_cartpole)
    td = env.rand_action(env.reset(KEY), KEY)
    first, again = (env.step(td, KEY) for _ in range(2))
    assert bool((first == again).all())
    other = env.step(td.exclude("state", "step_count"), KEY)  # from where it stands: a step further
    assert other["next", "step_count"].tolist() == [[2], [2]]


def test_gradients_go_through_pure_environments():
    env = SerialEnv(2, lambda: __import__("frl.envs").envs.make("Pendulum-v1"))
    action = torch.zeros(2, 1, requires_grad=True)
    env.step(env.reset(KEY).set("action", action), KEY)["next", "reward"].sum().backward()
    assert action.grad is not None


def test_it_prints_what_it_is_made_of():
    assert repr(SerialEnv(2, faulty.cartpole)) == (
        "SerialEnv(num_workers=2, env=GymEnv(env=CartPole-v1, batch_size=torch.Size([]), device=cpu), "
        "batch_size=torch.Size([2]))"
    )


def test_a_step_before_a_reset_after_an_end_and_after_close_is_refused():
    env = SerialEnv(2, faulty.nested)
    td = TensorDict({"action": torch.zeros(2, 2)}, [2])
    with pytest.raises(RuntimeError, match="before a reset"):
        env.step(td)
    env.reset()
    for _ in range(3):
        env.step(td)
    with pytest.raises(RuntimeError, match=r"after the end of environments \[0, 1\]"):
        env.step(td)
    env.reset()
    env.step(td)
    env.close()
    env.close()
    with pytest.raises(RuntimeError, match=r"after close\(\)"):
        env.step(td)


@pytest.mark.parametrize("name", LIARS)
def test_a_lie_is_named(name):
    env = SerialEnv(2, lambda: faulty.liar(name))
    with pytest.raises(ValueError, match="a step returned") as caught:
        env.rand_step(env.reset())
    assert LIARS[name][1] in str(caught.value)


def test_after_an_error_it_begins_anew():
    create = lambda: faulty.faulty("raise", "step")  # noqa: E731
    env = SerialEnv(2, [faulty.honest, create])
    with pytest.raises(LookupError, match="planted"):
        env.rand_step(env.reset())
    with pytest.raises(RuntimeError, match="before a reset"):
        env.rand_step(tree.zeros_like(env.observation_spec.zeros()))
    assert not env.reset()["done"].any()


def test_environments_that_differ_are_named():
    with pytest.raises(ValueError, match="worker 1 differs from worker 0 in max_steps: 200, not 500"):
        SerialEnv(2, [faulty.cartpole, lambda: GymEnv("Pendulum-v1")])


@pytest.mark.parametrize("name", ALIKE)
def test_keys_for_each_worker_make_a_row_what_it_is_alone(name):
    keys = random.split(KEY, 12).reshape(3, 4, 2)
    three, last = SerialEnv(3, ALIKE[name]), SerialEnv(1, ALIKE[name])
    td, alone = three.reset(keys[:, 0]), last.reset(keys[2:, 0])
    for i in range(1, 4):
        out, td = three.step_and_reset(three.rand_action(td, keys[:, i]), keys[:, i])
        other, alone = last.step_and_reset(last.rand_action(alone, keys[2:, i]), keys[2:, i])
        assert bool((out[2:] == other).all())
        assert bool((td[2:] == alone).all())
    with pytest.raises(ValueError, match=r"key= has shape \[2, 2\] but must have \[2\], or \[3, 2\] with one key"):
        three.reset(keys[:2, 0])


def test_only_the_rows_that_are_done_begin_afresh_and_the_others_go_on():
    for create in (faulty.cartpole, faulty.pure_cartpole):
        env = SerialEnv(2, create)
        td = env.rand_step(env.reset(KEY), KEY)["next"].exclude("reward")
        fresh = env.restart(td.set("done", torch.tensor([[False], [True]])), KEY)
        assert torch.equal(fresh["observation"][0], td["observation"][0])
        assert not torch.equal(fresh["observation"][1], td["observation"][1])
        after = env.rand_step(fresh, KEY)["next"]
        assert "step_count" not in after or after["step_count"].tolist() == [[2], [1]]


def test_it_hides_what_its_environments_hide():
    assert SerialEnv(2, faulty.pure_cartpole).state_keys == ("state", "step_count")
    assert SerialEnv(2, faulty.cartpole).state_keys == ()
