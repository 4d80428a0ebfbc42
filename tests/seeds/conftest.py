"""Environments of the documents; layers are the same in every test, as in those of `frl.nn`."""

from collections.abc import Iterator

import pytest

from frl.envs import GymEnv
from tests.nn.conftest import _same_layers as _same_layers


@pytest.fixture
def pendulum() -> Iterator[GymEnv]:
    with GymEnv("Pendulum-v1") as env:
        yield env


@pytest.fixture
def cartpole() -> Iterator[GymEnv]:
    with GymEnv("CartPole-v1") as env:
        yield env
