import pytest
import torch

from frl import TensorDict, random
from frl.envs import make
from frl.nn import EnsembleMemberModule, ExplorationType
from frl.specs import Categorical, Composite
from frl.transforms import Compose, InitTracker, TransformedEnv, make_tensordict_primer

KEY = random.key(0)


def td_of(is_init, member):
    flags = torch.tensor(is_init).unsqueeze(-1)
    return TensorDict({"is_init": flags, "member": torch.full_like(flags, member, dtype=torch.int64)}, flags.shape[:-1])


def test_a_member_is_drawn_where_an_episode_begins_and_stays_elsewhere():
    td = EnsembleMemberModule(5)(td_of([True, False] * 500, 3), key=KEY)
    assert td["member"][1::2].unique().tolist() == [3]
    counts = td["member"][::2].flatten().bincount(minlength=5)
    assert counts.sum() == 500
    assert counts.min() > 70
    assert torch.equal(td["next", "member"], td["member"])


def test_where_nothing_is_explored_the_member_stays():
    td = EnsembleMemberModule(5)(td_of([True, False], 4), exploration=ExplorationType.DETERMINISTIC)
    assert td["member"].flatten().tolist() == [4, 4]


def test_each_row_draws_by_its_own_key():
    module, keys = EnsembleMemberModule(1000), random.split(KEY, 3)
    td = td_of([True, True, True], 0)
    together = module(td, key=keys)["member"]
    assert [module(td[i], key=keys[i])["member"].tolist() for i in range(3)] == together.tolist()


def test_it_is_carried_through_an_episode():
    choose = EnsembleMemberModule(1000)
    env = TransformedEnv(make("DeepSea-v0", 4), Compose(InitTracker(), make_tensordict_primer(choose)))
    td = env.rollout(8, lambda td, key: env.rand_action(choose(td, key=key), key), key=KEY)
    assert bool((td["member"] == td["member"][:, :1]).all())
    assert len(td["member"][:, 0].unique()) > 1


def test_its_state_is_a_choice_among_the_members():
    assert EnsembleMemberModule(7).recurrent_state_spec == Composite({"member": Categorical(7, (1,))})


def test_it_prints_how_many_there_are():
    assert "num_members=7" in repr(EnsembleMemberModule(7))


@pytest.mark.parametrize("missing", ["is_init", "member"])
def test_what_is_missing_is_named(missing):
    with pytest.raises(KeyError, match=missing):
        EnsembleMemberModule(2)(td_of([True], 0).exclude(missing), key=KEY)
