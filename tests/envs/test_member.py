import torch

from frl import random, tree
from frl.envs.member import Member
from tests.envs import faulty

KEY, OTHER = random.split(random.key(0))


def test_it_goes_on_from_where_it_stands_or_from_where_it_is_told():
    member, env = Member(faulty.pure_cartpole()), faulty.pure_cartpole()
    begin = member.reset(KEY)
    td = env.reset(KEY)
    assert all(torch.equal(x, y) for x, y in zip(begin, tree.leaves(td), strict=True))
    action = {"action": torch.tensor([0, 1])}
    own = {name: td[name] for name in member.outline.own}
    first, _ = member.step(action, OTHER, False)
    second, _ = member.step(action, OTHER, False)
    again, _ = member.step({**action, **own}, OTHER, False)
    expected = tree.leaves(env.step(td.update(action), OTHER)["next"])
    assert all(torch.equal(x, y) for x, y in zip(first, expected, strict=True))
    assert all(torch.equal(x, y) for x, y in zip(again, expected, strict=True))
    assert not all(torch.equal(x, y) for x, y in zip(second, expected, strict=True))


def test_a_fresh_start_is_shown_only_at_an_end():
    member = Member(faulty.pure_cartpole())
    member.reset(KEY)
    found = [member.step({"action": torch.tensor([0, 1])}, KEY, True) for _ in range(7)]
    assert [fresh is None for _, fresh in found] == [True] * 6 + [False]
