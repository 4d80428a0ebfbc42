import sys

import pytest
import torch
from torch import Tensor

from frl import TensorDict, random
from frl.envs import FunctionalEnv, make
from frl.envs.classic import CartPole
from frl.envs.probes import ChosenReward, Endless, LateReward
from frl.training.evaluate import evaluate, play


def act(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
    """Takes the action that `train` names, if greedy."""
    assert not explore
    action = torch.nn.functional.one_hot(train["choice"], 2)
    return td.set("action", action.expand(*td.batch_size, 2))


def choose(action: int) -> TensorDict:
    return TensorDict({"choice": torch.tensor(action)})


def test_the_greedy_action_decides_the_return():
    env = FunctionalEnv(ChosenReward(), 3)
    assert evaluate(env, act, choose(1), random.key(0), 3).tolist() == [1.0, 1.0, 1.0]
    assert evaluate(env, act, choose(0), random.key(0), 3).tolist() == [-1.0, -1.0, -1.0]


def test_the_length_of_an_episode_is_counted_to_its_end_alone():
    returns, lengths = play(FunctionalEnv(LateReward(), 2, max_steps=50), act, choose(0), random.key(0))
    assert (returns.tolist(), lengths.tolist()) == ([1.0, 1.0], [2, 2])
    limited = FunctionalEnv(Endless(), 2, max_steps=5)
    _, lengths = torch.vmap(lambda train: play(limited, act, train, random.key(0)))(
        TensorDict({"choice": torch.tensor([0, 1])}, [2])
    )
    assert lengths.tolist() == [[5, 5], [5, 5]]


def test_rewards_are_summed_to_the_end_of_the_first_episode_only():
    env = FunctionalEnv(LateReward(), 2, max_steps=50)
    train = choose(0)

    def counted(td: TensorDict) -> Tensor:
        return evaluate(env, act, td, random.key(0), 2)

    assert counted(train).tolist() == [1.0, 1.0]
    always_to_the_limit = torch.func.vmap(counted)(TensorDict({"choice": torch.tensor([0, 1])}, [2]))
    assert always_to_the_limit.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_a_time_limit_ends_an_episode():
    assert evaluate(FunctionalEnv(Endless(), 2, max_steps=7), act, choose(0), random.key(0), 2).tolist() == [7.0, 7.0]


def test_episodes_that_never_end_are_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.modules["frl.training.evaluate"], "LONGEST", 20)
    with pytest.raises(
        ValueError, match=r"2 of 2 episodes .* had not ended after 20 steps; give the environment a time limit"
    ):
        evaluate(FunctionalEnv(Endless(), 2), act, choose(0), random.key(0), 2)


def test_each_row_is_an_episode_of_its_own_and_a_key_fixes_them_all():
    env = make("CartPole-v1", [8])
    returns = evaluate(env, act, choose(0), random.key(0), 8)
    assert len(returns.unique()) > 1
    assert (returns < 15).all()  # always left: the pole falls soon
    assert torch.equal(returns, evaluate(env, act, choose(0), random.key(0), 8))
    assert not torch.equal(returns, evaluate(env, act, choose(0), random.key(1), 8))


def test_members_of_a_population_are_evaluated_by_vmap():
    env = FunctionalEnv(CartPole(), [4], max_steps=20)
    keys = random.split(random.key(0), 2)
    trains = TensorDict({"choice": torch.tensor([0, 1])}, [2])
    together = torch.func.vmap(lambda train, key: evaluate(env, act, train, key, 4))(trains, keys)
    for i in range(2):
        assert torch.equal(together[i], evaluate(env, act, choose(i), keys[i], 4))


def test_a_population_is_evaluated_at_once_until_the_last_episode_has_ended():
    steps = 0

    def counted(train: TensorDict, td: TensorDict, explore: bool) -> TensorDict:
        nonlocal steps
        steps += 1
        return act(train, td, explore=explore)

    env, keys = make("CartPole-v1", [4]), random.split(random.key(0), 2)
    trains = TensorDict({"choice": torch.tensor([0, 1])}, [2])
    together = evaluate(env, counted, trains, keys, 4)
    for i in range(2):
        assert torch.equal(together[i], evaluate(env, act, choose(i), keys[i], 4))
    assert steps == together.max()


def test_a_population_in_an_environment_that_is_not_pure_is_refused():
    with make("gym:CartPole-v1", [2]) as env, pytest.raises(ValueError, match=r"is not pure, .*; pass the key"):
        evaluate(env, act, choose(0), random.split(random.key(0)), 2)


def test_compiled_it_is_the_same():
    env = FunctionalEnv(Endless(), 2, max_steps=5)
    compiled = torch.compile(lambda train, key: evaluate(env, act, train, key, 2), backend="aot_eager", fullgraph=True)
    assert compiled(choose(1), random.key(0)).tolist() == [5.0, 5.0]


def test_gymnasium_environments_are_stepped_until_all_have_ended():
    env = make("gym:CartPole-v1", [3])
    returns = evaluate(env, act, choose(1), random.key(0), 3)
    assert ((returns >= 8) & (returns < 15)).all()
    env.close()


def test_a_batch_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"batch size \[2\] but num_episodes is 5; make it with batch_size=\[5\]"):
        evaluate(FunctionalEnv(Endless(), 2, max_steps=7), act, choose(0), random.key(0), 5)
