"""Specs of TensorDicts."""

import pytest
import torch

from frl import TensorDict, random
from frl.specs import Bounded, Categorical, Composite


@pytest.fixture
def spec():
    return Composite({"position": Bounded(-1.0, 1.0, 2), "info": {"steps": Categorical(9)}})


def test_entries_are_read_as_those_of_a_tensordict(spec):
    assert list(spec) == ["info", "position"]
    assert spec["info", "steps"] == spec["info"]["steps"] == Categorical(9)
    assert len(spec) == 2
    assert "position" in spec


def test_set_gives_a_new_one(spec):
    new = spec.set("reward", Bounded(0.0, 1.0))
    assert "reward" in new
    assert "reward" not in spec


def test_explain_names_the_nested_key(spec):
    td = spec.sample(random.key(0))
    assert spec.explain(td) is None
    assert spec.explain(td.set(("info", "steps"), torch.tensor(9))) == (
        "['info']['steps'] lies outside the integers from 0 to 8: 9"
    )
    assert spec.explain(td.exclude("position")) == "['position'] is missing; there are ['info']"
    assert spec.explain(3) == "is a int but must be a TensorDict or a dict"


def test_a_value_may_have_more_entries(spec):
    assert spec.contains(spec.sample(random.key(0)).set("reward", torch.tensor(1.0)))


def test_entries_are_drawn_independently():
    spec = Composite({"a": Bounded(0.0, 1.0), "b": Bounded(0.0, 1.0)})
    td = spec.sample(random.split(random.key(0), 1000))
    assert abs(torch.corrcoef(torch.stack([td["a"], td["b"]]))[0, 1]) < 0.1


def test_project_keeps_further_entries(spec):
    td = TensorDict({"position": torch.tensor([5.0, 0.0]), "info": {"steps": torch.tensor(12)}, "x": torch.ones(1)})
    new = spec.project(td)
    assert new["position"].tolist() == [1.0, 0.0]
    assert new["info", "steps"].item() == 8
    assert new["x"] is td["x"]


def test_an_empty_one_contains_everything():
    assert Composite({}).contains(TensorDict({}, [3]))
    assert Composite({}).sample(random.key(0)).is_empty()


def test_the_printed_form(spec):
    assert repr(Composite({"steps": Categorical(9)})) == (
        "Composite(\n"
        "    steps: Categorical(\n"
        "        shape=torch.Size([]),\n"
        "        space=CategoricalBox(n=9),\n"
        "        device=cpu,\n"
        "        dtype=torch.int64,\n"
        "        domain=discrete),\n"
        "    device=cpu,\n"
        "    shape=torch.Size([]))"
    )


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Composite({"a": 3}), TypeError, "entry 'a' is a int"),
        (lambda: Composite({"a": Categorical(2)}, [4]), ValueError, "does not begin with the shape [4]"),
        (lambda: Composite({"a": Categorical(2)})["b"], KeyError, "it has ['a']"),
    ],
)
def test_errors_name_the_entry(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
