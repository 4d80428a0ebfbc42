import pytest
import torch
from torch import nn

from frl import random
from frl.specs import Composite, Unbounded
from frl.transforms import TensorDictPrimer, TransformedEnv, make_tensordict_primer
from tests.transforms.worlds import pendulum

KEY = random.key(0)


class Recurrent(nn.Tanh):
    recurrent_state_spec = Composite({"h": Unbounded((1, 4)), "deep": {"c": Unbounded((1, 4), dtype=torch.float64)}})


@pytest.mark.parametrize(
    "primers", [Recurrent.recurrent_state_spec, {"h": Unbounded((1, 4)), ("deep", "c"): Unbounded((1, 4))}]
)
def test_entries_may_be_nested_either_way(primers):
    td = TransformedEnv(pendulum((3,)), TensorDictPrimer(primers, 0.5)).reset(KEY)
    assert td["h"].shape == td["deep", "c"].shape == (3, 1, 4)
    assert (td["h"] == 0.5).all()


def test_dtypes_are_the_specs():
    td = TransformedEnv(pendulum(), make_tensordict_primer(Recurrent())).reset(KEY)
    assert td["deep", "c"].dtype == torch.float64


def test_all_recurrent_parts_are_primed():
    class Other(nn.Tanh):
        recurrent_state_spec = {"other": Unbounded(2)}  # noqa: RUF012

    primer = make_tensordict_primer(nn.Sequential(Recurrent(), nn.Tanh(), Other()))
    assert set(primer.bookkeeping) == {"h", ("deep", "c"), "other"}


def test_what_the_policy_does_not_write_stays():
    env = TransformedEnv(pendulum(()), TensorDictPrimer({"h": Unbounded(2)}))
    td = env.rand_action(env.reset(KEY), KEY).set("h", torch.tensor([3.0, 4.0]))
    assert env.step(td, KEY)["next", "h"].tolist() == [3.0, 4.0]


def test_a_module_without_carries_is_refused():
    with pytest.raises(ValueError, match="has a recurrent_state_spec"):
        make_tensordict_primer(nn.Tanh())
