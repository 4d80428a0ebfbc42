"""The losses of REDQ: those of SAC with other choices among the critics."""

import pytest
import torch

from frl import random
from frl.objectives import REDQLoss, SACLoss
from tests.objectives.test_sac import batch, loss_of, params
from tests.traced import traced

KEY = random.key(0)
MANY = params(qvalue=(1.0, 2.0, 3.0, 4.0, 5.0))


def redq(**settings):
    return loss_of(REDQLoss, **{"num_qvalue_nets": 5, **settings})


def test_the_target_is_the_least_of_so_many_drawn_without_replacement():
    values = torch.arange(5.0).unsqueeze(-1)
    keys = random.split(random.key(1), 200)
    few = torch.stack([redq().target_value(values, key) for key in keys])
    assert set(few.flatten().tolist()) == {0.0, 1.0, 2.0, 3.0}  # the greatest is never the least of two
    assert abs((few == 0).float().mean().item() - 0.4) < 0.1  # 1 − C(4, 2) / C(5, 2)
    all_of_them = redq(sub_sample_len=5)
    assert {all_of_them.target_value(values, key).item() for key in keys[:10]} == {0.0}


def test_the_policy_maximises_the_mean_of_all_critics():
    assert redq().policy_value(torch.tensor([[1.0], [3.0]])).tolist() == [2.0]


def test_with_twin_critics_and_both_of_them_its_critics_learn_as_those_of_sac():
    ours = loss_of(REDQLoss, num_qvalue_nets=2)(params(), batch(4), KEY)
    theirs = loss_of(SACLoss)(params(), batch(4), KEY)
    for name in ("loss_qvalue", "loss_alpha", "target_value", "td_error", "entropy"):
        torch.testing.assert_close(ours[name], theirs[name])


def test_traced_and_vmapped_it_is_itself():
    loss = redq()
    expected = loss(MANY, batch(4), KEY)
    found = traced(lambda p, b, k: loss(p, b, k))(MANY, batch(4), KEY)
    both = torch.vmap(lambda k: loss(MANY, batch(4), k))(torch.stack([KEY, random.key(1)]))
    for name, x in expected.items():
        torch.testing.assert_close(found[name], x)
        torch.testing.assert_close(both[name][0], x)


def test_more_critics_in_the_target_than_there_are_are_refused():
    with pytest.raises(ValueError, match="sub_sample_len is 6 but must be at most 5"):
        redq(sub_sample_len=6)
