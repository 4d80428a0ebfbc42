import pytest
import torch

from frl import TensorDict
from frl.transforms import InitTracker, RewardSum, StepCounter
from frl.transforms.replay import replay

END = torch.tensor([[[False], [True], [False]], [[False], [False], [False]]])


def data(**entries):
    return TensorDict({"next": {"reward": torch.ones(2, 3, 1), **entries}}, [2, 3])


@pytest.mark.parametrize("entries", [{"done": END}, {"terminated": END, "truncated": END & False}])
def test_an_episode_begins_where_another_ends(entries):
    assert replay(StepCounter(), data(**entries))["step_count"].squeeze(-1).tolist() == [[0, 1, 0], [0, 1, 2]]


def test_truncation_ends_an_episode_too():
    td = replay(RewardSum(), data(terminated=END & False, truncated=END))
    assert td["next", "episode_reward"].squeeze(-1).tolist() == [[1, 2, 1], [1, 2, 3]]


def test_an_episode_begins_where_is_init_says_so():
    td = data(done=END & False).set("is_init", torch.tensor([[[True], [False], [True]], [[True], [True], [False]]]))
    assert replay(StepCounter(), td)["step_count"].squeeze(-1).tolist() == [[0, 1, 0], [0, 0, 1]]


def test_one_step_is_a_trajectory():
    td = replay(InitTracker(), data(done=END)[:, :1])
    assert td.batch_size == (2, 1)
    assert td["is_init"].all()


def test_it_can_be_vmapped():
    td = data(done=END)
    torch.testing.assert_close(torch.vmap(StepCounter())(td)["step_count"], StepCounter()(td)["step_count"])


@pytest.mark.parametrize(
    ("td", "words"),
    [
        (data(done=END)["next"], "no trajectory"),
        (data(done=END)[0, 0], "no trajectory"),
        (data(), "where episodes end"),
    ],
)
def test_what_is_no_trajectory_is_refused(td, words):
    with pytest.raises(ValueError, match=words):
        replay(StepCounter(), td)
