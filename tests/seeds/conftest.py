"""Layers are the same in every test, as in those of `frl.nn`."""

from tests.nn.conftest import _same_layers as _same_layers
