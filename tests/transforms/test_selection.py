import pytest
import torch

from frl import TensorDict, random
from frl.specs import Bounded, Composite, Unbounded
from frl.transforms import (
    CatTensors,
    ExcludeTransform,
    FlattenObservation,
    RenameTransform,
    SelectTransform,
    TransformedEnv,
)
from tests.transforms.worlds import scene

KEY = random.key(0)
FLAGS = ["done", "terminated", "truncated"]


def test_what_every_environment_shows_stays():
    env = TransformedEnv(scene(), SelectTransform("observation"))
    td = env.rand_step(env.reset(KEY), KEY)
    assert sorted(td["next"].exclude("transform_state")) == sorted(["observation", "reward", *FLAGS])
    assert list(env.single_observation_spec) == ["observation"]


def test_nested_entries_are_selected_excluded_and_renamed():
    td = TensorDict({"info": {"a": torch.ones(1), "b": torch.ones(1)}})
    assert list(SelectTransform(("info", "a"))(td)["info"]) == ["a"]
    assert list(ExcludeTransform(("info", "a"))(td)["info"]) == ["b"]
    assert "c" in RenameTransform([("info", "a")], ["c"])(td)


def test_names_can_be_exchanged():
    td = TensorDict({"a": torch.zeros(1), "b": torch.ones(1)})
    assert RenameTransform(["a", "b"], ["b", "a"])(td)["a"] == 1


def test_parts_are_joined_in_the_order_given_and_so_are_bounds():
    spec = Composite({"a": Bounded(0.0, 1.0, 1), "b": Bounded(2.0, 3.0, 1), "c": Unbounded(1)})
    assert CatTensors(["b", "a"], "x").observation_spec(spec)["x"].low.tolist() == [2.0, 0.0]
    assert CatTensors(["b", "c"], "x").observation_spec(spec)["x"] == Unbounded(2)
    kept = CatTensors(["b", "a"], "x", del_keys=False)(TensorDict({"a": torch.zeros(1), "b": torch.ones(1)}))
    assert kept["x"].tolist() == [1.0, 0.0]
    assert "a" in kept


def test_event_axes_are_flattened_behind_the_batch():
    td = TensorDict({"x": torch.zeros(7, 2, 3, 4)}, [7])
    assert FlattenObservation(-3, -2, ["x"])(td)["x"].shape == (7, 6, 4)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: ExcludeTransform("reward"), ValueError, "what every environment shows stays"),
        (lambda: RenameTransform(["done"], ["end"]), ValueError, "keeps its name"),
        (lambda: RenameTransform(["a"], ["b", "c"]), ValueError, "out_keys has 2 keys but in_keys has 1"),
        (lambda: SelectTransform(3), TypeError, "pass them one by one"),
        (lambda: SelectTransform("x")(TensorDict({"y": torch.ones(1)})), KeyError, "no entry 'x', only"),
        (lambda: CatTensors(["a"], dim=0), ValueError, "dim is 0 but must be negative"),
        (
            lambda: CatTensors(["a", "b"])(TensorDict({"a": torch.ones(1), "b": torch.ones(1, dtype=torch.int64)})),
            *(TypeError, "must have one"),
        ),
        (lambda: FlattenObservation(-1, -2), ValueError, "first_dim is -1 and last_dim is -2"),
        (lambda: setattr(SelectTransform("x"), "in_keys", ["y"]), TypeError, "immutable"),
    ],
)
def test_bad_calls_are_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
