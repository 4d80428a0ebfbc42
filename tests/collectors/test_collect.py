"""Collection: what a batch holds, and what happens where an episode ends."""

import torch

from frl import TensorDict, random
from frl.collectors import collect, start
from frl.envs import FunctionalEnv, make
from frl.envs.probes import Endless, LateReward


def push_right(train: TensorDict, td: TensorDict, key: torch.Tensor) -> TensorDict:
    return td.set("action", torch.tensor([0, 1]).expand(*td.batch_size, 2))


def gather(env, num_steps: int, key: int = 0) -> tuple[TensorDict, TensorDict]:
    runner = start(env, random.key(key))
    return collect(env, push_right, TensorDict(), runner, random.key(1), num_steps)


def test_a_batch_has_the_environments_first_and_time_last():
    _, batch = gather(make("CartPole-v1", 3), 7)
    assert batch.batch_size == (3, 7)
    assert batch["observation"].shape == (3, 7, 4)
    assert batch["next", "reward"].shape == (3, 7, 1)


def test_next_is_the_true_successor_and_the_following_step_begins_afresh():
    _, batch = gather(FunctionalEnv(LateReward(), 1), 4)
    assert batch["observation"].flatten().tolist() == [0, 1, 0, 1]
    assert batch["next", "observation"].flatten().tolist() == [1, 2, 1, 2]
    assert batch["next", "terminated"].flatten().tolist() == [False, True, False, True]


def test_returns_and_lengths_count_up_to_each_step_of_the_episode():
    _, batch = gather(FunctionalEnv(LateReward(), 1), 4)
    assert batch["next", "episode_return"].flatten().tolist() == [0, 1, 0, 1]
    assert batch["next", "episode_length"].flatten().tolist() == [1, 2, 1, 2]


def test_a_time_limit_truncates_and_does_not_terminate():
    _, batch = gather(FunctionalEnv(Endless(), 1, max_steps=3), 4)
    assert batch["next", "truncated"].flatten().tolist() == [False, False, True, False]
    assert not batch["next", "terminated"].any()


def test_collecting_twice_goes_on_where_the_first_stopped():
    env = FunctionalEnv(LateReward(), 1)
    runner, _ = gather(env, 3)
    _, batch = collect(env, push_right, TensorDict(), runner, random.key(2), 2)
    assert batch["observation"].flatten().tolist() == [1, 0]
    assert batch["next", "episode_length"].flatten().tolist() == [2, 1]


def test_the_same_keys_give_the_same_batch_and_other_keys_another():
    env = make("CartPole-v1", 2)
    assert (gather(env, 20)[1] == gather(env, 20)[1]).all()
    assert not (gather(env, 20)[1] == gather(env, 20, key=5)[1]).all()


def test_what_an_environment_reads_back_stays_behind():
    env = make("CartPole-v1", 2)
    _, batch = gather(env, 2)
    assert not {"state", "step_count"} & {*batch, *batch["next"]}
    env = FunctionalEnv(LateReward(), 1)
    object.__setattr__(env, "state_keys", ("state",))
    _, batch = gather(env, 2)
    assert batch["step_count"].flatten().tolist() == [0, 1]
