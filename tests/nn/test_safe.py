import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict
from frl.nn import SafeModule
from frl.specs import Bounded, Composite, Unbounded

SPEC = Bounded(-torch.ones(3), torch.ones(3))


def actor(**options):
    return SafeModule(module=nn.Linear(5, 3), spec=SPEC, in_keys=["obs"], out_keys=["action"], **options)


def test_a_result_inside_the_spec_stays_and_one_outside_is_projected():
    module = actor(safe=True)
    inside = TensorDict({"obs": torch.full((5,), 0.1)})
    assert torch.equal(module(inside)["action"], module.module(inside["obs"]))
    obs = torch.linalg.pinv(module.module.weight) @ torch.tensor([-100.0, 100.0, -100.0])
    action = module(TensorDict({"obs": obs.detach()}))["action"]
    assert action.tolist() == [-1.0, 1.0, -1.0]
    assert action.requires_grad


def test_the_gradient_is_that_of_a_clamp():
    module = SafeModule(lambda x: x, Bounded(-1.0, 1.0, 3), ["obs"], ["action"], safe=True)
    obs = torch.tensor([-2.0, 0.5, 2.0], requires_grad=True)
    module(TensorDict({"obs": obs}))["action"].sum().backward()
    assert obs.grad.tolist() == [0.0, 1.0, 0.0]


def test_nothing_is_projected_unless_asked_for():
    module = actor()
    td = TensorDict({"obs": torch.full((5,), 1e3)})
    assert torch.equal(module(td)["action"], module.module(td["obs"]))
    assert module.spec is SPEC


def test_a_composite_projects_each_of_its_entries():
    spec = Composite({"a": Bounded(0.0, 1.0, 2), "info": {"b": Bounded(0.0, 2.0, 2)}, "unused": Unbounded(1)})
    module = SafeModule(lambda x: (x, x, x), spec, ["x"], ["a", ("info", "b"), "c"], safe=True)
    td = module(TensorDict({"x": torch.tensor([5.0, -5.0])}))
    assert_close([td["a"], td["info", "b"], td["c"]], [torch.tensor(x) for x in ([1.0, 0.0], [2.0, 0.0], [5.0, -5.0])])
