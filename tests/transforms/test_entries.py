import pytest

from frl.specs import Composite, Unbounded
from frl.transforms.entries import drop_specs, entry_spec, select_specs, set_spec

SPEC = Composite({"a": Unbounded(1), "b": {"c": Unbounded(2), "d": Unbounded(3)}})


def test_nested_entries_are_read_set_and_dropped():
    assert entry_spec(None, SPEC, ("b", "c")) == Unbounded(2)
    assert set_spec(SPEC, ("b", "c"), Unbounded(7))["b", "c"] == Unbounded(7)
    assert list(drop_specs(SPEC, [("b", "c")])["b"]) == ["d"]
    assert list(drop_specs(SPEC, ["b"])) == ["a"]
    assert select_specs(SPEC, [("b", "c"), "e"]) == Composite({"b": {"c": Unbounded(2)}})


def test_missing_levels_are_made_and_missing_entries_are_no_error():
    assert set_spec(SPEC, ("e", "f"), Unbounded(7))["e", "f"] == Unbounded(7)
    assert drop_specs(SPEC, ["e", ("b", "e"), ("a", "x")]) == SPEC


@pytest.mark.parametrize("key", ["e", ("b", "e"), ("a", "x")])
def test_an_entry_that_is_not_there_is_named(key):
    with pytest.raises(KeyError, match=r"shows no .*, only \['a', 'b'\]"):
        entry_spec(None, SPEC, key)
