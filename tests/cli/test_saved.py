from pathlib import Path

import pytest

from frl.cli.errors import UsageError
from frl.cli.saved import saved
from frl.training import member, state_hash
from frl.training.checkpoint import load_latest
from tests.cli.tiny import train


def test_all_members_or_one_are_what_was_saved(tmp_path: Path):
    train(tmp_path, "--num-seeds", "3", "--seed", "7", "--log")
    state = load_latest(tmp_path / "checkpoints").state
    whole, one = saved(tmp_path), saved(tmp_path, member=2)
    assert state_hash(whole.state) == state_hash(state)
    assert state_hash(one.state) == state_hash(member(state, 2))
    assert (whole.options.num_seeds, one.options.num_seeds, one.options.seed, one.updates) == (3, 1, 9, 2)


def test_of_the_best_each_member_has_seen_its_own_number_of_updates(tmp_path: Path):
    train(tmp_path, "--num-seeds", "2", "--steps", "32", "--eval-every", "8", "--log")
    updates = load_latest(tmp_path / "best").metadata["updates"]
    assert [saved(tmp_path, "best", i).updates for i in range(2)] == updates
    assert saved(tmp_path, "best").updates == max(updates)


def test_the_only_member_is_the_run(tmp_path: Path):
    train(tmp_path, "--log")
    assert state_hash(saved(tmp_path, member=0).state) == state_hash(saved(tmp_path).state)


@pytest.mark.parametrize("index", [-1, 1])
def test_a_member_that_there_is_not_is_named(tmp_path: Path, index: int):
    train(tmp_path, "--log")
    with pytest.raises(UsageError, match=f"--member is {index} but .* has 1 of them; name one from 0 to 0"):
        saved(tmp_path, member=index)
