import pytest
import torch

from frl import random
from frl.envs.purity import require_pure
from tests.envs import liars

IMPURE = [
    (liars.remembers_its_calls, "a second call with equal arguments.*'next.reward'"),
    (liars.wastes_the_global_generator, "torch's global generator"),
    (liars.mixes_its_rows, "environment 0 depends on what the others do"),
    (liars.reads_values_while_traced, "vmap: raises"),
]


@pytest.mark.parametrize(("env", "message"), IMPURE)
def test_what_is_not_pure_is_named(env, message):
    with torch.random.fork_rng(), pytest.raises(ValueError, match=message):
        require_pure(env(), random.key(0))
