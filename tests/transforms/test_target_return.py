import torch

from frl import TensorDict, random
from frl.envs import make
from frl.transforms import RewardScaling, TargetReturn, TransformedEnv


def test_every_reward_is_taken_off_and_every_episode_begins_with_all():
    env = TransformedEnv(make("CartPole-v1", 3), TargetReturn(5.0))
    td = env.reset(random.key(0))
    assert td["return_to_go"].tolist() == [[5.0]] * 3
    step, following = env.step_and_reset(env.rand_action(td, random.key(1)), random.key(2))
    assert step["next", "return_to_go"].tolist() == following["return_to_go"].tolist() == [[4.0]] * 3
    while not bool(step["next", "done"].any()):
        step, following = env.step_and_reset(env.rand_action(following, random.key(1)), random.key(2))
    begun = step["next", "done"]
    assert bool((following["return_to_go"] == torch.where(begun, 5.0, step["next", "return_to_go"])).all())


def test_it_sees_the_reward_as_the_transforms_before_it_make_it():
    env = TransformedEnv(make("CartPole-v1"), RewardScaling(0.0, 0.5))
    env = env.append_transform(TargetReturn(2.0, out_keys=("wanted",)))
    assert env.rollout(3, key=random.key(0))["wanted"].flatten().tolist() == [2.0, 1.5, 1.0]


def test_data_are_labelled_as_the_environment_would_have():
    after = {"reward": torch.tensor([[1.0], [2.0], [3.0]]), "done": torch.tensor([[False], [True], [False]])}
    td = TargetReturn(10.0)(TensorDict({"next": after}, [3]))
    assert td["return_to_go"].flatten().tolist() == [10.0, 9.0, 10.0]
    assert td["next", "return_to_go"].flatten().tolist() == [9.0, 7.0, 7.0]
