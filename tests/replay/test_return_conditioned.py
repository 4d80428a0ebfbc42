import torch
from torch.testing import assert_close

from frl import TensorDict, random, tree
from frl.collectors import collect, start
from frl.envs import make
from frl.replay import return_conditioned, sequence


def steps(terminated, truncated, length):
    flags = {name: torch.tensor(x).unsqueeze(-1) for name, x in (("terminated", terminated), ("truncated", truncated))}
    count = torch.tensor(length, dtype=torch.float32).unsqueeze(-1)
    reward = torch.arange(1.0, count.numel() + 1).reshape(count.shape)
    return TensorDict({"next": {**flags, "reward": reward, "episode_length": count}}, count.shape[:-1])


def test_rewards_to_come_are_summed_up_to_either_end_and_what_has_no_end_is_left_out():
    no, yes = False, True
    batch = steps([[no, yes, no], [no, no, no]], [[no, no, no], [yes, no, yes]], [[7, 8, 1], [3, 1, 2]])
    td = return_conditioned(batch)
    assert td["return_to_go"].flatten().tolist() == [3.0, 2.0, 4.0, 11.0, 6.0]
    assert td["time"].flatten().tolist() == [6, 7, 2, 0, 1]
    assert td["time"].dtype == torch.int64


def test_it_does_so_for_what_collect_makes():
    env = make("CartPole-v1", 4)
    random_actions = lambda train, td, key: env.rand_action(td, key)  # noqa: E731
    runner = start(env, random.key(0))
    _, batch = collect(env, random_actions, TensorDict({}), runner, random.key(1), 60)
    td = return_conditioned(batch)
    after = td["next"]
    ended = (after["terminated"] | after["truncated"]).squeeze(-1)
    assert bool(ended[-1])
    assert_close(td["return_to_go"] + td["time"], _of_its_episode(after["episode_return"], ended))
    assert bool((td["time"][1:] == torch.where(ended[:-1, None], 0, td["time"][:-1] + 1)).all())


def _of_its_episode(value, ended):
    """What stands at the end of each episode, at each of its steps."""
    episode = ended.long().cumsum(0) - ended.long()
    return value[ended][episode]


def test_a_sequence_of_them_is_of_one_episode():
    td = return_conditioned(steps([[False, True, False, False, True]], [[False] * 5], [[1, 2, 1, 2, 3]]))
    buffer = sequence(td.numel(), batch_size=4, length=3)
    state = buffer.add(buffer.init(td[0]), td)
    windows = buffer.read(state, torch.tensor([0, 2]))
    assert windows["mask"].tolist() == [[True, True, False], [True, True, True]]
    assert windows["time"].squeeze(-1).tolist() == [[0, 1, 1], [0, 1, 2]]


def test_the_batch_is_not_changed():
    batch = steps([[True]], [[False]], [[1]])
    kept = tree.map(torch.clone, batch)
    return_conditioned(batch)
    assert "time" not in batch
    assert_close(batch["next", "reward"], kept["next", "reward"])
