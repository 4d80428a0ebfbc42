import pytest
import torch

from frl import TensorDict, random
from frl.envs import FunctionalEnv
from frl.envs.classic import Pendulum
from frl.transforms import DoubleToFloat, DTypeCastTransform, TransformedEnv

KEY = random.key(0)


def test_a_world_in_double_precision_is_seen_and_moved_in_single():
    env = TransformedEnv(FunctionalEnv(Pendulum(torch.float64), [2]), DoubleToFloat())
    td = env.rand_step(env.reset(KEY), KEY)
    assert {td["observation"].dtype, td["action"].dtype, td["next", "reward"].dtype} == {torch.float32}
    assert {env.single_action_spec.dtype, env.reward_dtype} == {torch.float32}
    assert env.single_observation_spec["observation"].dtype == torch.float32


def test_only_what_is_named_is_cast():
    td = TensorDict({"a": torch.ones(1), "b": {"c": torch.ones(1)}, "n": torch.ones(1, dtype=torch.int64)})
    cast = DTypeCastTransform(torch.float32, torch.float16, [("b", "c")])(td)
    assert [cast["a"].dtype, cast["b", "c"].dtype] == [torch.float32, torch.float16]
    everything = DTypeCastTransform(torch.float32, torch.float16)(td)
    assert [everything["a"].dtype, everything["n"].dtype] == [torch.float16, torch.int64]


@pytest.mark.parametrize("arguments", [("float64", torch.float32), (torch.float64, None)])
def test_what_is_no_dtype_is_refused(arguments):
    with pytest.raises(TypeError, match="must be a dtype"):
        DTypeCastTransform(*arguments)
