import torch

from frl import TensorDict, random
from frl.envs import make
from frl.envs.classic import CartPole
from frl.envs.functional import FunctionalEnv
from frl.transforms import Compose, LastActionReward, RewardScaling, TransformedEnv, Trials


def test_an_episode_begins_without_and_then_shows_what_was_done_and_what_it_paid():
    env = make("Pendulum-v1", 3)
    env = TransformedEnv(env, Compose(RewardScaling(0.0, 0.1), LastActionReward(env.single_action_spec)))
    td = env.reset(random.key(0))
    assert td["last_action"].tolist() == td["last_reward"].tolist() == [[0.0]] * 3
    td = env.rand_step(td, random.key(1))
    assert torch.equal(td["next", "last_action"], td["action"])
    assert torch.equal(td["next", "last_reward"], td["next", "reward"])


def test_numbered_choices_are_shown_one_hot():
    env = FunctionalEnv(CartPole(), 2, categorical_actions=True)
    env = TransformedEnv(env, LastActionReward(env.single_action_spec))
    td = env.step(env.reset(random.key(0)).set("action", torch.tensor([1, 0])), random.key(1))
    assert td["next", "last_action"].tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert env.observation_spec["last_action"].shape == (2, 2)


def test_networks_are_to_read_both():
    env = make("CartPole-v1")
    env = TransformedEnv(env, LastActionReward(env.single_action_spec))
    assert set(env.single_observation_spec) == {"observation", "last_action", "last_reward"}


def test_it_goes_on_over_the_episodes_of_a_trial():
    env = make("Catch-v0")
    env = TransformedEnv(env, Compose(Trials(2), LastActionReward(env.single_action_spec)))
    td = env.rollout(18, key=random.key(0))
    assert td["last_reward"].flatten().nonzero().tolist() == [[9]]  # earned by the last step of the first episode
    assert td["last_action"].sum(-1).tolist() == [0.0] + [1.0] * 17


def test_data_show_it_as_the_environment_would_have():
    after = {"reward": torch.tensor([[1.0], [2.0], [3.0]]), "done": torch.tensor([[False], [True], [False]])}
    action = torch.tensor([[1, 0], [0, 1], [1, 0]])
    td = LastActionReward(make("CartPole-v1").single_action_spec)(TensorDict({"action": action, "next": after}, [3]))
    assert td["last_reward"].flatten().tolist() == [0.0, 1.0, 0.0]
    assert td["last_action"].tolist() == [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
