"""Bad calls across the whole library: each is refused by name, with what came, what was expected, and what to do.

The calls stand in tables, one file for each part of the library.
"""

from collections import Counter
from functools import cache
from typing import NamedTuple

import pytest

from frl.compilation import compiler_available
from tests.bad_input.blocks import BLOCKS
from tests.bad_input.collectors import COLLECTORS
from tests.bad_input.control import COMPILATION, CONTROL
from tests.bad_input.critics import CRITICS
from tests.bad_input.data import DATA
from tests.bad_input.ensembles import ENSEMBLES
from tests.bad_input.environments import ENVIRONMENTS
from tests.bad_input.learning import LEARNING
from tests.bad_input.maml import FEW_SHOT
from tests.bad_input.mathematics import MATHEMATICS, OPTIMISERS
from tests.bad_input.meta import META
from tests.bad_input.meta_rl import RL2
from tests.bad_input.modules import MODULES
from tests.bad_input.objectives import OBJECTIVES
from tests.bad_input.offline import OFFLINE
from tests.bad_input.on_policy import ON_POLICY
from tests.bad_input.parameters import PARAMETERS
from tests.bad_input.policies import POLICIES
from tests.bad_input.populations import POPULATIONS
from tests.bad_input.programs import COMMANDS, FILES
from tests.bad_input.reach import EXEMPT, NAMES, reached
from tests.bad_input.recording import RECORDING
from tests.bad_input.replay import REPLAY
from tests.bad_input.specs import SPECS
from tests.bad_input.tasks import TASKS
from tests.bad_input.training import TRAINING
from tests.bad_input.transforms import TRANSFORMS
from tests.bad_input.workers import WORKERS
from tests.bad_input.worlds import WORLDS

PARTS = (
    DATA,
    CONTROL,
    SPECS,
    MATHEMATICS,
    BLOCKS,
    OPTIMISERS,
    MODULES,
    ENVIRONMENTS,
    LEARNING,
    OBJECTIVES,
    FILES,
    COMMANDS,
    WORLDS,
    POLICIES,
    REPLAY,
    TRANSFORMS,
    WORKERS,
    PARAMETERS,
    RECORDING,
    COLLECTORS,
    OFFLINE,
    TRAINING,
    TASKS,
    ON_POLICY,
    CRITICS,
    POPULATIONS,
    META,
    FEW_SHOT,
    ENSEMBLES,
    RL2,
)
COMPILED = COMPILATION if compiler_available() else {}
CASES = {name: case for part in (*PARTS, COMPILED) for name, case in part.items()}


class Refusal(NamedTuple):
    """What a bad call raised, and the public names that it is a bad call of."""

    error: type[BaseException]
    message: str
    names: set[str]


@cache
def refusal(name: str) -> Refusal:
    with pytest.raises(CASES[name].error) as caught:
        CASES[name].call()
    # a KeyError prints the repr of its message
    message = caught.value.args[0] if isinstance(caught.value, KeyError) else str(caught.value)
    return Refusal(caught.type, message, reached(caught.tb))


@pytest.mark.parametrize("name", CASES)
def test_a_bad_call_says_what_came_what_was_expected_and_what_to_do(name: str) -> None:
    case, (error, message, _) = CASES[name], refusal(name)
    assert error is case.error
    assert all(words in message for words in case.says), message
    assert case.remedy in message[message.index(case.says[0]) :], message
    assert len(message) <= 400


def test_there_are_many_and_no_name_stands_twice() -> None:
    assert len(CASES) == sum(map(len, (*PARTS, COMPILED)))
    assert len(CASES) >= 140


def test_what_is_public_has_two_bad_calls_or_a_reason_to_have_none() -> None:
    rows = Counter(name for case in CASES for name in refusal(case).names)
    exempt = {name for names in EXEMPT.values() for name in names.split()}
    assert {name for name in NAMES if rows[name] < 2} == exempt
