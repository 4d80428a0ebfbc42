import pytest
import torch

from frl import TensorDict, random
from frl.envs import FunctionalEnv
from frl.transforms import InitTracker, StepCounter, TimeLimit, TransformedEnv
from tests.transforms.worlds import PureCount, pendulum

KEY = random.key(0)


def test_counts_are_integers_beside_each_row():
    td = TransformedEnv(pendulum((2, 3)), StepCounter()).reset(KEY)
    assert td["step_count"].shape == (2, 3, 1)
    assert td["step_count"].dtype == torch.int64


@pytest.mark.parametrize("limit", [StepCounter, TimeLimit])
@pytest.mark.parametrize(("base", "given", "expected"), [(9, 4, 4), (3, 4, 3), (None, 4, 4)])
def test_the_lower_limit_holds(limit, base, given, expected):
    env = TransformedEnv(pendulum((), base), limit(given))
    assert env.max_steps == expected
    td = env.rollout(20, key=KEY)
    assert td.batch_size == (expected,)
    assert td["next", "truncated"].flatten().tolist() == [False] * (expected - 1) + [True]
    assert not td["next", "terminated"].any()


def test_an_end_at_the_limit_is_both():
    after = TransformedEnv(FunctionalEnv(PureCount(3)), TimeLimit(3)).rollout(9, key=KEY)[-1]["next"]
    assert (bool(after["terminated"]), bool(after["truncated"]), bool(after["done"])) == (True, True, True)


def test_marks_may_stand_under_other_names():
    env = TransformedEnv(pendulum(), InitTracker(("info", "first")))
    assert env.reset(KEY)["info", "first"].all()


def test_counting_goes_on_from_the_root():
    td = TensorDict({"step_count": torch.tensor([41])})
    after = TensorDict({"reward": torch.ones(1)})
    assert StepCounter().step(td, after, None)[0]["step_count"] == 42
