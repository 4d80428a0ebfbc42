"""Seed document 003, its modules: networks, modules over TensorDicts, parameters as values, and policies that draw.

The document seeds torch's generator before the last two parts, so their numbers are those that are printed there. What
a policy draws has another key here, and is replaced by its law: the distribution that the printed numbers come from.
"""

import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.distributions import TanhNormal
from frl.nn import (
    MLP,
    Actor,
    ConvNet,
    ExplorationType,
    NormalParamWrapper,
    ProbabilisticTensorDictModule,
    ProbabilisticTensorDictSequential,
    SafeModule,
    SquashDims,
    TensorDictModule,
    TensorDictSequential,
    from_module,
    functional_call,
    set_exploration_type,
)
from frl.specs import Bounded
from tests.seeds.printed import printed

# ---- networks


def test_a_perceptron_prints_its_layers():
    net = MLP(num_cells=[32, 64], out_features=4, activation_class=nn.ELU)
    assert repr(net) == (
        "MLP(\n"
        "  (0): LazyLinear(in_features=0, out_features=32, bias=True)\n"
        "  (1): ELU(alpha=1.0)\n"
        "  (2): Linear(in_features=32, out_features=64, bias=True)\n"
        "  (3): ELU(alpha=1.0)\n"
        "  (4): Linear(in_features=64, out_features=4, bias=True)\n"
        ")"
    )
    assert net(torch.randn(10, 3)).shape == (10, 4)


def test_a_convolutional_network_prints_its_layers():
    cnn = ConvNet(num_cells=[32, 64], kernel_sizes=[8, 4], strides=[2, 1], aggregator_class=SquashDims)
    assert repr(cnn) == (
        "ConvNet(\n"
        "  (0): LazyConv2d(0, 32, kernel_size=(8, 8), stride=(2, 2))\n"
        "  (1): ELU(alpha=1.0)\n"
        "  (2): Conv2d(32, 64, kernel_size=(4, 4), stride=(1, 1))\n"
        "  (3): ELU(alpha=1.0)\n"
        "  (4): SquashDims()\n"
        ")"
    )
    assert cnn(torch.randn(10, 3, 32, 32)).shape == (10, 6400)


# ---- modules over TensorDicts


def test_a_module_writes_under_its_key():
    module = TensorDictModule(nn.Linear(3, 4), in_keys=["key 1"], out_keys=["key 2"])
    td = module(TensorDict({"key 1": torch.randn(10, 3)}, batch_size=[10]))
    assert repr(td) == printed({"key 1": "float32 10 3", "key 2": "float32 10 4"}, [10])


def parts():
    return (
        TensorDictModule(nn.Linear(5, 3), in_keys=["observation"], out_keys=["hidden"]),
        TensorDictModule(nn.Linear(3, 4), in_keys=["hidden"], out_keys=["action"]),
        TensorDictModule(MLP(out_features=1, num_cells=[4, 5]), in_keys=["hidden", "action"], out_keys=["value"]),
    )


FIELDS = {"action": "float32 3 4", "hidden": "float32 3 3", "observation": "float32 3 5", "value": "float32 3 1"}


def observation():
    return TensorDict({"observation": torch.randn(3, 5)}, [3])


def test_a_sequence_prints_its_modules_and_their_keys():
    sequence = TensorDictSequential(*parts())
    assert repr(sequence) == (
        "TensorDictSequential(\n"
        "    module=ModuleList(\n"
        "      (0): TensorDictModule(\n"
        "          module=Linear(in_features=5, out_features=3, bias=True),\n"
        "          device=cpu,\n"
        "          in_keys=['observation'],\n"
        "          out_keys=['hidden'])\n"
        "      (1): TensorDictModule(\n"
        "          module=Linear(in_features=3, out_features=4, bias=True),\n"
        "          device=cpu,\n"
        "          in_keys=['hidden'],\n"
        "          out_keys=['action'])\n"
        "      (2): TensorDictModule(\n"
        "          module=MLP(\n"
        "            (0): LazyLinear(in_features=0, out_features=4, bias=True)\n"
        "            (1): Tanh()\n"
        "            (2): Linear(in_features=4, out_features=5, bias=True)\n"
        "            (3): Tanh()\n"
        "            (4): Linear(in_features=5, out_features=1, bias=True)\n"
        "          ),\n"
        "          device=cpu,\n"
        "          in_keys=['hidden', 'action'],\n"
        "          out_keys=['value'])\n"
        "    ),\n"
        "    device=cpu,\n"
        "    in_keys=['observation'],\n"
        "    out_keys=['hidden', 'action', 'value'])"
    )
    assert sequence.in_keys == ["observation"]
    assert sequence.out_keys == ["hidden", "action", "value"]


def test_modules_one_by_one_are_the_sequence():
    backbone, actor, value = parts()
    td = observation()
    one_by_one = value(actor(backbone(td)))
    assert repr(one_by_one) == printed(FIELDS, [3])
    assert (TensorDictSequential(backbone, actor, value)(td) == one_by_one).all()


# ---- parameters as values


def sequence():
    module = TensorDictSequential(*parts())
    module(observation())  # gives the first layer of the MLP its shape
    return module


def nested(kind):
    def linear(rows, columns):
        return printed({"bias": f"float32 {rows}", "weight": f"float32 {rows} {columns}"}, [], kind=kind)

    mlp = {"0": linear(4, 7), "1": printed({}, []), "2": linear(5, 4), "3": printed({}, []), "4": linear(1, 5)}
    modules = [linear(3, 5), linear(4, 3), printed(mlp, [])]
    return printed(
        {"module": printed({str(i): printed({"module": text}, []) for i, text in enumerate(modules)}, [])}, []
    )


def test_the_parameters_of_a_sequence_are_a_nested_tensordict():
    module = sequence()
    assert repr(TensorDict.from_module(module, live=True)) == nested("Parameter")
    # by default detached copies, which nothing else can change
    assert repr(TensorDict.from_module(module)) == repr(from_module(module)) == nested("Tensor")


def test_a_call_with_other_parameters_leaves_those_of_the_module():
    module, td = sequence(), observation()
    params = TensorDict.from_module(module)
    called = functional_call(module, params, td)
    assert repr(called) == printed(FIELDS, [3])
    assert (called == module(td)).all()
    assert not functional_call(module, 0 * params, td)["value"].any()
    assert (called == module(td)).all()


def test_parameters_are_lent_to_a_module():
    module, td = sequence(), observation()
    params = TensorDict.from_module(module)
    with params.to_module(module):
        assert (module(td) == functional_call(module, params, td)).all()
    with (0 * params).to_module(module):
        assert not module(td)["value"].any()
    assert module(td)["value"].any()


def test_an_ensemble_of_four_has_their_axis_in_front():
    module, td = sequence(), observation()
    params = from_module(module).expand(4)
    ensemble = torch.vmap(lambda params, td: functional_call(module, params, td), (0, None))(params, td)
    fields = {name: text.replace(" 3", " 4 3", 1) for name, text in FIELDS.items()}
    assert repr(ensemble) == printed(fields, [4, 3])
    for member in ensemble.unbind(0):  # four times the same parameters
        torch.testing.assert_close(member["value"], module(td)["value"])


# ---- special modules; the order of what follows a seed is that of the document


def test_a_safe_module_projects_into_its_spec():
    torch.manual_seed(0)
    spec = Bounded(-torch.ones(3), torch.ones(3))
    module = SafeModule(nn.Linear(5, 3), spec=spec, in_keys=["obs"], out_keys=["action"], safe=True)
    inside = module(TensorDict({"obs": torch.randn(5)}, batch_size=[]))["action"]
    assert inside.tolist() == pytest.approx([-0.0137, 0.1524, -0.0641], abs=5e-5)
    assert inside.requires_grad
    outside = module(TensorDict({"obs": torch.randn(5) * 100}, batch_size=[]))["action"]
    assert outside.tolist() == [-1.0, 1.0, -1.0]
    assert outside.requires_grad


def test_a_safe_module_that_is_not_asked_to_projects_nothing():
    module = SafeModule(nn.Linear(5, 3), spec=Bounded(-torch.ones(3), torch.ones(3)), in_keys=["obs"], out_keys=["a"])
    td = TensorDict({"obs": 100 * torch.ones(5)}, batch_size=[])
    assert torch.equal(module(td)["a"], module.module(td["obs"]))
    assert module(td)["a"].abs().max() > 1


def test_an_actor_writes_an_action_by_default():
    td = Actor(nn.Linear(5, 3), in_keys=["obs"])(TensorDict({"obs": torch.randn(5)}, batch_size=[]))
    assert repr(td) == printed({"action": "float32 3", "obs": "float32 5"}, [])


def drawing(net, return_log_prob):
    return ProbabilisticTensorDictSequential(
        TensorDictModule(net, in_keys=["input"], out_keys=["loc", "scale"]),
        ProbabilisticTensorDictModule(
            in_keys=["loc", "scale"],
            out_keys=["action"],
            distribution_class=TanhNormal,
            return_log_prob=return_log_prob,
        ),
    )


def test_a_policy_draws_from_what_a_network_says():
    policy = drawing(NormalParamWrapper(nn.Linear(5, 4)), return_log_prob=False)
    td = policy(TensorDict({"input": torch.randn(3, 5)}, [3]), key=random.key(0))
    fields = dict.fromkeys(("action", "loc", "scale"), "float32 3 2") | {"input": "float32 3 5"}
    assert repr(td) == printed(dict(sorted(fields.items())), [3])
    assert td["action"].abs().max() < 1


def test_a_policy_gives_the_log_probability_of_the_whole_action():
    policy = drawing(NormalParamWrapper(nn.Linear(5, 4)), return_log_prob=True)
    td = policy(TensorDict({"input": torch.randn(3, 5)}, [3]), key=random.key(0))
    fields = dict.fromkeys(("action", "loc", "scale"), "float32 3 2")
    fields |= {"input": "float32 3 5", "sample_log_prob": "float32 3"}
    assert repr(td) == printed(dict(sorted(fields.items())), [3])
    normal = torch.distributions.Normal(td["loc"], td["scale"]).log_prob(td["action"].atanh())
    expected = (normal - (1 - td["action"] ** 2).log()).sum(-1)
    torch.testing.assert_close(td["sample_log_prob"], expected, atol=1e-4, rtol=1e-4)


RANDOM = [[0.8728, -0.1334], [-0.9833, 0.3494], [-0.6887, -0.6402]]
MODE = [[-0.1132, 0.1762], [-0.3430, -0.2668], [0.2918, 0.6239]]


def seeded():
    """The policy and the input of the part on exploration: what the generator gives after all that comes before."""
    torch.manual_seed(0)
    nn.Linear(5, 3), torch.randn(5), torch.randn(5)  # the safe module and its inputs
    nn.Linear(5, 3), torch.randn(5)  # the actor and its input
    torch.randn(3, 5)
    net = NormalParamWrapper(nn.Linear(5, 4))
    torch.randn(3, 5)
    return drawing(net, return_log_prob=True), TensorDict({"input": torch.randn(3, 5)}, [3])


@pytest.mark.parametrize("exploration", [ExplorationType.MODE, ExplorationType.MEAN], ids=str)
def test_the_mode_is_printed_twice(exploration):
    policy, td = seeded()
    with set_exploration_type(exploration):  # of a TanhNormal no mean is known; its mode stands for it
        torch.testing.assert_close(policy(td)["action"], torch.tensor(MODE), atol=5e-5, rtol=0)


def test_the_printed_sample_is_that_of_the_distribution():
    policy, td = seeded()
    with set_exploration_type(ExplorationType.RANDOM):
        drawn = policy(td, key=random.key(0))
    assert not torch.equal(drawn["action"], policy(td, key=random.key(1))["action"])
    torch.manual_seed(0)
    noise = torch.normal(torch.zeros(3, 2), torch.ones(3, 2))
    torch.testing.assert_close((drawn["loc"] + drawn["scale"] * noise).tanh(), torch.tensor(RANDOM), atol=5e-5, rtol=0)
    with pytest.raises(TypeError, match="key="):
        policy(td)
