import pytest
import torch

from frl import TensorDict, tree
from frl.envs.form import Form

TDS = {
    "flat": TensorDict({"a": torch.ones(2, 3), "b": torch.zeros(2, dtype=torch.int64)}, [2], "cpu"),
    "nested": TensorDict({"a": {"b": torch.ones(2, 1), "c": {"d": torch.zeros(2)}}, "e": torch.ones(2)}, [2]),
    "without leaves": TensorDict({}, [2]),
}


@pytest.mark.parametrize("name", TDS)
def test_taken_apart_and_put_together_it_is_the_same(name):
    td = TDS[name]
    form = Form(td)
    again = form.build(form.leaves("a step", td))
    assert repr(again) == repr(td)
    assert tree.flatten(again)[1] == tree.flatten(td)[1]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            TDS["flat"].set("a", torch.ones(2, 4)),
            r"'a' as torch.float32 \[2, 4\] but must return .*32 \[2, 3\]",
        ),
        (TDS["flat"].set("b", torch.ones(2)), r"'b' as torch.float32 \[2\] but must return torch.int64 \[2\]"),
        (TDS["flat"].exclude("b"), r"no 'b', only \['a'\]"),
        (TDS["flat"].set("z", torch.ones(2)), "'z', which its first reset had not"),
        ({"a": 1}, "a dict but must return a TensorDict"),
    ],
)
def test_what_does_not_fit_is_named(wrong, words):
    with pytest.raises(ValueError, match=f"^a step returned {words}; mend the environment.$"):
        Form(TDS["flat"]).leaves("a step", wrong)


def test_the_device_of_a_node_does_not_matter():
    td = TDS["flat"]
    other = TensorDict(dict(td), [2])
    assert all(x is y for x, y in zip(Form(td).leaves("a step", other), td.values(), strict=True))
