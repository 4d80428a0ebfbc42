import pytest
import torch

from frl import TensorDict, functional, random
from frl.envs import make
from frl.transforms import Compose, ObservationNorm, RewardScaling, TransformedEnv, VecNorm
from frl.transforms.vec_norm import _counted, _no_moments, _pooled

KEY = random.key(0)


def test_rows_merge_to_the_moments_of_all_values():
    x = random.normal((5, 4, 2), KEY)
    rows = _no_moments(TensorDict({"x": x[0]}, [4]), (2,))
    for values in x:
        rows = _counted(rows, values)
    whole = functional.update_moments(functional.init_moments([2]), x)
    torch.testing.assert_close(_pooled(rows), whole)


def test_workers_merge_as_rows_do():
    x = random.normal((4, 3), KEY)
    rows = _counted(_no_moments(TensorDict({"x": x}, [4]), (3,)), x)
    halves = functional.merge_moments(_pooled(rows[:2]), _pooled(rows[2:]))
    torch.testing.assert_close(halves, _pooled(rows))


def test_values_are_normalised_by_all_that_were_seen_so_far():
    env = TransformedEnv(make("Pendulum-v1", 16), VecNorm(["observation"], eps=0.0))
    seen = env.rollout(100, key=KEY)["next", "observation"][:, 50:].flatten(0, 1)
    torch.testing.assert_close(seen.mean(0), torch.zeros(3), atol=0.5, rtol=0)
    torch.testing.assert_close(seen.std(0), torch.ones(3), atol=0.6, rtol=0)


def test_rewards_are_normalised_from_the_first_step():
    env = TransformedEnv(make("Pendulum-v1", 16), VecNorm(["reward"]))
    reward = env.rand_step(env.reset(KEY), KEY)["next", "reward"]
    torch.testing.assert_close(reward.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(reward.std(correction=0), torch.tensor(1.0), atol=1e-3, rtol=0)


def test_frozen_it_shows_the_same():
    env = TransformedEnv(make("Pendulum-v1", 8), Compose(RewardScaling(0.0, 0.1), VecNorm(["observation", "reward"])))
    td = env.rollout(20, key=KEY)
    frozen = env.transform[1].freeze(td[:, -1]["next"])
    assert [type(t) for t in frozen] == [ObservationNorm]
    raw = env.base_env.rollout(20, key=KEY)["next"][:, -1]  # equal keys, so equal episodes
    torch.testing.assert_close(frozen[0](raw)["observation"], td["next", "observation"][:, -1])


def test_a_reset_begins_anew():
    env = TransformedEnv(make("Pendulum-v1", 8), VecNorm(["observation"]))
    assert env.transform.moments(env.reset(KEY))["observation"].num_values == 8


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: VecNorm(eps=-1.0), ValueError, "eps is -1.0"),
        (lambda: VecNorm("observation"), TypeError, "expected a list of keys"),
        (lambda: VecNorm().moments(TensorDict()), ValueError, "in no environment"),
    ],
)
def test_bad_calls_are_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
