import json

import numpy as np
import pytest
import torch
from gymnasium import spaces

from frl.specs import (
    Binary,
    Bounded,
    Categorical,
    Composite,
    MultiCategorical,
    OneHot,
    Unbounded,
    from_gymnasium,
)
from frl.specs.plain import from_plain, to_plain

SPECS = {
    "bounded": Bounded(-1.0, 1.0, 3),
    "bounds that differ": Bounded(torch.tensor([-1.0, -torch.inf]), torch.tensor([0.1, torch.inf])),
    "integers": Bounded(-(2**62), 2**61, (2,), dtype=torch.int64),
    "float64": Bounded(0.1, 1 / 3, (2, 2), dtype=torch.float64),
    "one number": Bounded(0.0, 2.0),
    "pixels": from_gymnasium(spaces.Box(0, 255, (8, 6, 3), np.uint8)),
    "nothing": Bounded(0.0, 1.0, (0, 2)),
    "unbounded": Unbounded((2, 3), dtype=torch.float16),
    "categorical": Categorical(4, (2,), dtype=torch.int32),
    "one-hot": OneHot(3, (2, 3)),
    "multi-categorical": MultiCategorical([2, 5], (4, 2)),
    "binary": Binary(3, dtype=torch.bool),
    "composite": Composite({"a": Unbounded((2, 3)), "b": {"c": OneHot(2, (2, 2))}}, 2),
}


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_is_the_same_after_a_journey_through_json(name):
    spec = SPECS[name]
    again = from_plain(json.loads(json.dumps(to_plain(spec))))
    assert type(again) is type(spec)
    assert again == spec


def test_equal_bounds_take_no_room():
    assert to_plain(SPECS["pixels"])["high"] == 255
    assert to_plain(SPECS["bounds that differ"])["low"] == [-1.0, -torch.inf]


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match=r"kind is 'Ball' but must be one of .*'Bounded'"):
        from_plain({"kind": "Ball", "shape": []})
