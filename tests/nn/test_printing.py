from torch import nn

from frl.distributions import Normal
from frl.nn import MLP, ProbabilisticTensorDictModule, TensorDictModule, TensorDictSequential

SEQUENCE = """\
TensorDictSequential(
    module=ModuleList(
      (0): TensorDictModule(
          module=Linear(in_features=5, out_features=3, bias=True),
          device=cpu,
          in_keys=['observation'],
          out_keys=['hidden'])
      (1): TensorDictModule(
          module=Linear(in_features=3, out_features=4, bias=True),
          device=cpu,
          in_keys=['hidden'],
          out_keys=['action'])
      (2): TensorDictModule(
          module=MLP(
            (0): LazyLinear(in_features=0, out_features=4, bias=True)
            (1): Tanh()
            (2): Linear(in_features=4, out_features=5, bias=True)
            (3): Tanh()
            (4): Linear(in_features=5, out_features=1, bias=True)
          ),
          device=cpu,
          in_keys=['hidden', 'action'],
          out_keys=['value'])
    ),
    device=cpu,
    in_keys=['observation'],
    out_keys=['hidden', 'action', 'value'])"""


def test_a_sequence_prints_as_in_the_tutorials():
    backbone = TensorDictModule(nn.Linear(5, 3), in_keys=["observation"], out_keys=["hidden"])
    actor = TensorDictModule(nn.Linear(3, 4), in_keys=["hidden"], out_keys=["action"])
    value = TensorDictModule(MLP(out_features=1, num_cells=[4, 5]), in_keys=["hidden", "action"], out_keys=["value"])
    assert repr(TensorDictSequential(backbone, actor, value)) == SEQUENCE


def test_the_device_is_that_of_the_parameters():
    assert "device=meta" in repr(TensorDictModule(nn.Linear(1, 1, device="meta"), ["a"], ["b"]))


def test_a_probabilistic_module_prints_its_distribution():
    assert repr(ProbabilisticTensorDictModule(["loc", "scale"], ["action"], Normal)) == (
        "ProbabilisticTensorDictModule(\n"
        "    in_keys=['loc', 'scale'],\n"
        "    out_keys=['action'],\n"
        "    distribution_class=Normal,\n"
        "    default_interaction_type=ExplorationType.RANDOM)"
    )
