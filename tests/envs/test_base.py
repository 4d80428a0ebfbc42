import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.envs import FunctionalEnv, ids, make, step_mdp
from frl.envs.base import promote, reset_where_done
from frl.envs.classic import CartPole, Pendulum
from tests.envs.liars import Liar
from tests.purity import Purity

KEY = random.key(0)


def push_right(td):
    return td.set("action", torch.tensor([0, 1]).expand(*td.batch_size, 2))


# What a root has besides "next", what next has, and what the following root has.
PROMOTIONS = [
    (["observation"], ["observation"], ["observation"]),
    (["action", "observation"], ["observation", "reward"], ["observation"]),
    (["done", "observation"], ["done", "observation", "terminated"], ["done", "observation", "terminated"]),
    (["observation", "reward"], ["observation"], ["observation"]),
    (["hidden", "observation"], ["observation"], ["hidden", "observation"]),
    (["hidden", "observation"], ["hidden", "observation"], ["hidden", "observation"]),
    (["params"], ["observation"], ["observation", "params"]),
]


@pytest.mark.parametrize(("root", "after", "following"), PROMOTIONS)
def test_step_mdp_promotes_next_drops_action_and_reward_and_keeps_the_rest(root, after, following):
    td = TensorDict({**{k: torch.zeros(2) for k in root}, "next": {k: torch.ones(2) for k in after}}, [2])
    result = step_mdp(td)
    assert list(result) == following
    assert {key: bool(result[key].all()) for key in result} == {key: key in after for key in following}


def test_step_mdp_promotes_nested_entries():
    td = TensorDict({"state": {"x": torch.zeros(2)}, "next": {"state": {"x": torch.ones(2)}}}, [2])
    assert step_mdp(td)["state", "x"].tolist() == [1.0, 1.0]


def test_only_rows_that_are_done_start_afresh():
    after = TensorDict({"done": torch.tensor([[True], [False]]), "observation": torch.ones(2, 3)}, [2])
    fresh = TensorDict({"done": torch.zeros(2, 1, dtype=torch.bool), "observation": torch.zeros(2, 3)}, [2])
    following = reset_where_done(after, fresh)
    assert following["observation"].tolist() == [[0.0] * 3, [1.0] * 3]
    assert not following["done"].any()


def test_a_key_that_no_reset_makes_stays_where_an_episode_ends():
    after = TensorDict({"done": torch.tensor([[True]]), "hidden": torch.ones(1, 2)}, [1])
    fresh = TensorDict({"done": torch.tensor([[False]])}, [1])
    assert reset_where_done(after, fresh)["hidden"].tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("batch", [[], [3], [2, 2]])
def test_a_rollout_has_time_as_its_last_batch_axis(batch):
    td = make("Pendulum-v1", batch).rollout(5, key=KEY)
    assert td.batch_size == (*batch, 5)
    assert td["next", "reward"].shape == (*batch, 5, 1)


@pytest.mark.parametrize("break_when_any_done", [True, False])
def test_a_rollout_equals_the_loop_by_hand(break_when_any_done):
    env = make("Pendulum-v1", [2])
    k_reset, k_steps = random.split(KEY)
    td, steps = env.reset(k_reset), []
    for k_policy, k_step in random.split(k_steps, 8).reshape(4, 2, 2):
        step = env.step(env.rand_action(td, k_policy), k_step)
        steps.append(step)
        td = step_mdp(step)
    rollout = env.rollout(4, key=KEY, break_when_any_done=break_when_any_done)
    assert bool((rollout == torch.stack(steps, 1)).all())


def test_a_rollout_ends_with_the_first_step_in_which_any_environment_is_done():
    done = make("CartPole-v1", [3]).rollout(100, push_right, KEY)["next", "done"].squeeze(-1)
    assert done[:, -1].any()
    assert not done[:, :-1].any()


def test_a_rollout_without_break_goes_on_and_never_resets():
    td = make("CartPole-v1", [2]).rollout(30, push_right, KEY, break_when_any_done=False)
    assert td["step_count"].squeeze(-1).tolist() == [list(range(30))] * 2
    assert torch.equal(td["observation"][:, 1:], td["next", "observation"][:, :-1])


def test_a_policy_gets_a_key_if_it_has_a_parameter_for_it():
    seen = []

    def policy(td, key):
        seen.append(tuple(key.tolist()))
        return push_right(td)

    make("CartPole-v1").rollout(3, policy, KEY)
    assert len(set(seen)) == 3


def test_a_module_is_a_policy_too():
    class Still(nn.Module):
        def forward(self, td):
            return td.set("action", torch.zeros(1))

    assert make("Pendulum-v1").rollout(2, Still(), KEY)["action"].tolist() == [[0.0], [0.0]]


def test_what_the_policy_writes_is_in_the_rollout():
    td = make("CartPole-v1").rollout(3, lambda td: push_right(td).set("value", torch.ones(1)), KEY)
    assert td["value"].shape == (3, 1)


def test_what_the_policy_wrote_does_not_follow():
    env = make("CartPole-v1")
    _, following = env.step_and_reset(push_right(env.reset(KEY)).set("value", torch.ones(1)), KEY)
    assert sorted(following) == sorted(env.reset(KEY))


def test_the_time_limit_truncates_and_does_not_terminate():
    td = FunctionalEnv(Pendulum(), max_steps=3).rollout(5, key=KEY)
    assert td["next", "truncated"].squeeze(-1).tolist() == [False, False, True]
    assert not td["next", "terminated"].any()


def test_a_fall_terminates_and_does_not_truncate():
    td = make("CartPole-v1").rollout(100, push_right, KEY)
    assert td["next", "terminated"][-1]
    assert not td["next", "truncated"].any()


def test_a_fall_on_the_last_step_of_the_limit_does_both():
    length = make("CartPole-v1").rollout(100, push_right, KEY).batch_size[0]
    last = FunctionalEnv(CartPole(), max_steps=length).rollout(100, push_right, KEY)["next"][-1]
    assert (bool(last["terminated"]), bool(last["truncated"]), bool(last["done"])) == (True, True, True)


def test_next_holds_the_true_successor_where_the_following_root_is_a_fresh_start():
    env = FunctionalEnv(CartPole(), [2], max_steps=1)
    td, following = env.step_and_reset(push_right(env.reset(KEY)), random.key(1))
    assert (td["next", "observation"][:, 1] > 0.1).all()
    assert (following["observation"].abs() <= 0.05).all()
    assert following["step_count"].tolist() == [[0], [0]]
    assert torch.equal(promote(td)["done"], torch.ones(2, 1, dtype=torch.bool))


@pytest.mark.parametrize("id", ids())
def test_no_input_is_written(id):
    env = make(id, [2])
    td = env.rand_action(env.reset(KEY), KEY)
    with Purity(td, KEY):
        env.step_and_reset(td, KEY)


def test_specs_of_a_batch_have_its_shape():
    env = make("Pendulum-v1", [4])
    assert env.action_spec.shape == (4, 1)
    assert env.observation_spec["observation"].shape == (4, 3)
    assert env.reward_spec.shape == (4, 1)
    assert env.done_spec["terminated"].shape == (4, 1)
    assert env.single_action_spec.shape == (1,)


def test_specs_contain_what_a_step_emits():
    env = make("CartPole-v1", [4])
    td = env.rand_step(env.reset(KEY), KEY)
    assert env.observation_spec.contains(td["next"])
    assert env.action_spec.contains(td["action"])
    assert env.reward_spec.contains(td["next", "reward"])
    assert env.done_spec.contains(td["next"])


def test_a_pure_environment_restarts_by_a_reset_and_a_shell_must_say_how():
    env = make("CartPole-v1", [2])
    assert bool((env.restart(env.reset(KEY), KEY) == env.reset(KEY)).all())
    shell = Liar()
    shell.pure = False
    with pytest.raises(NotImplementedError, match="cannot begin single rows afresh"):
        shell.restart(shell.reset(KEY), KEY)


def bad_inputs():
    env = make("CartPole-v1", [2])
    td = env.reset(KEY)
    action = torch.tensor([[0, 1], [1, 0]])
    return {
        "no key to reset": (TypeError, "key=.*None", lambda: env.reset()),
        "no key to step": (TypeError, "key=.*None", lambda: env.step(td.set("action", action))),
        "no key to a rollout": (TypeError, "key=.*None", lambda: env.rollout(3)),
        "no key to a random step": (TypeError, "key=.*None", lambda: env.rand_step(td)),
        "a policy that writes no action": (ValueError, '"action"', lambda: env.rollout(3, lambda td: td, KEY)),
        "an action of the wrong shape": (
            ValueError,
            r'"action" has shape \[2\] but must have \[2, 2\]',
            lambda: env.step(td.set("action", torch.tensor([0, 1])), KEY),
        ),
        "an action of the wrong dtype": (
            TypeError,
            r'"action" is torch.float32 but must be torch.int64',
            lambda: env.step(td.set("action", action.float()), KEY),
        ),
        "no steps": (ValueError, "max_steps is 0", lambda: env.rollout(0, key=KEY)),
        "a root of another environment": (
            ValueError,
            "'state'.*env.reset",
            lambda: env.step(td.exclude("state").set("action", action), KEY),
        ),
        "assignment": (TypeError, "immutable.*with_params", lambda: setattr(env, "params", None)),
    }


@pytest.mark.parametrize("name", bad_inputs())
def test_bad_input_is_named(name):
    kind, message, call = bad_inputs()[name]
    with pytest.raises(kind, match=message):
        call()
