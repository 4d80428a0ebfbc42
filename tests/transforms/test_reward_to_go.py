import pytest
import torch

from frl import TensorDict, random
from frl.transforms import Reward2GoTransform, TransformedEnv
from tests.transforms.worlds import scene


def data(terminated, truncated):
    flags = {name: torch.tensor(x).unsqueeze(-1) for name, x in (("terminated", terminated), ("truncated", truncated))}
    shape = flags["terminated"].shape
    return TensorDict({"next": {"reward": torch.ones(shape), **flags}}, shape[:-1])


def test_the_sum_is_cut_by_either_end():
    td = data([[False, True, False, False]], [[False, False, True, False]])
    earned = Reward2GoTransform(0.5)(td)["next", "reward_to_go"]
    assert earned.shape == (1, 4, 1)
    assert earned.flatten().tolist() == [1.5, 1.0, 1.0, 1.0]


def test_it_is_the_sum_by_hand():
    batch = scene((4,)).rollout(12, key=random.key(0), break_when_any_done=False)
    found = Reward2GoTransform(0.9)(batch)["next", "reward_to_go"].squeeze(-1)
    reward = batch["next", "reward"].squeeze(-1)
    ended = batch["next", "done"].squeeze(-1)
    total, expected = torch.zeros(4), []
    for t in reversed(range(12)):
        total = reward[:, t] + 0.9 * torch.where(ended[:, t], 0.0, total)
        expected.append(total)
    torch.testing.assert_close(found, torch.stack(expected[::-1], 1))


def test_it_can_be_vmapped():
    td = data([[False, True]], [[False, False]])
    torch.testing.assert_close(
        torch.vmap(Reward2GoTransform())(td)["next", "reward_to_go"], Reward2GoTransform()(td)["next", "reward_to_go"]
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Reward2GoTransform(1.5), "gamma is 1.5"),
        (lambda: TransformedEnv(scene(), Reward2GoTransform()), "call the transform on collected data"),
        (lambda: Reward2GoTransform()(data([[True]], [[True]])[0, 0]), "no trajectory"),
    ],
)
def test_bad_calls_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
