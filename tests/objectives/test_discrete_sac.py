"""The losses of discrete SAC: expectations over the actions."""

import math

import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.distributions import Categorical, OneHotCategorical
from frl.nn import Actor, ProbabilisticActor, TensorDictModule
from frl.objectives import DiscreteSACLoss
from tests.traced import traced

KEY = random.key(0)


class Row(nn.Module):
    """The same numbers in every state."""

    def __init__(self, row):
        super().__init__()
        self.row = nn.Parameter(torch.tensor(row))

    def forward(self, x):
        return self.row.expand(*x.shape[:-1], -1)


def loss_of(space="one_hot", **settings):
    net = TensorDictModule(Row([0.0, 0.0]), ["observation"], ["logits"])
    kind = OneHotCategorical if space == "one_hot" else Categorical
    actor = ProbabilisticActor(net, ["logits"], distribution_class=kind)
    qvalue = TensorDictModule(Row([0.0, 0.0]), ["observation"], ["action_value"])
    return DiscreteSACLoss(actor, qvalue, space, **settings).make_value_estimator(gamma=0.5)


def params(odds=3.0, alpha=0.5):
    """π = (3/4, 1/4); the critics say (1, 6) and (3, 2), the lesser of which is (1, 2)."""
    qvalue = {"module": {"row": torch.tensor([[1.0, 6.0], [3.0, 2.0]])}}
    actor = {"module": {"0": {"module": {"row": torch.tensor([math.log(odds), 0.0])}}}}
    trained = {"actor": actor, "qvalue": qvalue, "log_alpha": torch.tensor(alpha).log()}
    return TensorDict({**trained, "target": {"qvalue": qvalue}})


def batch(size=1, action=((0, 1),), **after):
    no = torch.zeros(size, 1).bool()
    after = {"observation": torch.ones(size, 1), "reward": torch.ones(size, 1), "done": no, **after}
    action = torch.tensor(action).expand(size, *([2] if isinstance(action[0], tuple) else []))
    return TensorDict({"observation": torch.ones(size, 1), "action": action, "next": after}, [size])


ENTROPY = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
VALUE = 0.75 * 1 + 0.25 * 2 + 0.5 * ENTROPY


def test_the_losses_are_those_of_the_paper():
    losses = loss_of()(params(), batch())
    target = 1 + 0.5 * VALUE
    assert losses["target_value"].item() == pytest.approx(target)
    assert losses["loss_qvalue"].item() == pytest.approx((6 - target) ** 2 + (2 - target) ** 2)
    assert losses["td_error"].item() == pytest.approx(6 - target)
    assert losses["loss_actor"].item() == pytest.approx(-VALUE)
    assert losses["entropy"].item() == pytest.approx(ENTROPY)
    assert losses["loss_alpha"].item() == pytest.approx(math.log(0.5) * (ENTROPY - 0.98 * math.log(2)))


def test_indices_are_one_hot_vectors_written_otherwise():
    found = loss_of("categorical")(params(), batch(action=(1,)))
    for name, x in loss_of()(params(), batch()).items():
        torch.testing.assert_close(found[name], x)


def test_each_loss_reaches_its_own_parameters_alone():
    own = {"loss_qvalue": "qvalue", "loss_actor": "actor", "loss_alpha": "log_alpha"}
    for name, part in own.items():
        grads = torch.func.grad(lambda p, name=name: loss_of()(p, batch())[name])(params())
        reached = {key if isinstance(key, str) else key[0] for key, x in grads.items(True, True) if x.any()}
        assert reached == {part}


def test_termination_alone_ends_the_future():
    ends = torch.tensor([[True], [False]])
    after = {"terminated": ends, "truncated": ~ends, "done": torch.ones(2, 1).bool()}
    target = loss_of()(params(), batch(2, **after))["target_value"]
    assert target.tolist() == pytest.approx([1.0, 1 + 0.5 * VALUE])


def test_an_action_that_is_never_chosen_counts_for_nothing():
    surely = params(odds=1e200)  # a difference of 460 in the logits: π = (1, 0)
    grads, loss = torch.func.grad_and_value(lambda p: loss_of()(p, batch())["loss_actor"])(surely)
    assert loss.item() == -1
    assert all(x.isfinite().all() for _, x in grads.items(True, True))


def test_traced_and_vmapped_it_is_itself():
    loss = loss_of()
    expected = loss(params(), batch(4))
    found = traced(lambda p, b: loss(p, b))(params(), batch(4))
    both = torch.vmap(lambda alpha: loss(params().set("log_alpha", alpha), batch(4)))(torch.tensor([0.5, 1.0]).log())
    for name, x in expected.items():
        torch.testing.assert_close(found[name], x)
        torch.testing.assert_close(both[name][0], x)


def test_what_does_not_fit_is_refused():
    with pytest.raises(TypeError, match="which has no distribution"):
        DiscreteSACLoss(Actor(Row([0.0])), Row([0.0]), "one_hot")
    with pytest.raises(ValueError, match="the action space is 'binary', of several choices"):
        loss_of("binary")
    wide = TensorDictModule(Row([0.0, 0.0, 0.0]), ["observation"], ["action_value"])
    loss = DiscreteSACLoss(loss_of().actor, wide, "one_hot")
    with pytest.raises(ValueError, match=r"action has shape \[1, 2\]"):
        loss(loss.init(KEY), batch())
