import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from frl import check


def test_values_are_readable_only_on_the_host_and_outside_transforms():
    seen = []

    def look(x):
        seen.append(check.values_readable())
        return x.sum()

    look(torch.ones(2))
    torch.vmap(look)(torch.ones(2, 2))
    torch.func.grad(look)(torch.ones(2))
    assert seen == [True, False, False]
    compiled = torch.compile(lambda x: x + int(check.values_readable()), backend="aot_eager", fullgraph=True)
    assert compiled(torch.zeros(1)).item() == 0


def test_equal_shapes_pass_and_the_last_argument_is_the_measure():
    check.same_shape("f", {"value": torch.ones(2, 3), "reward": torch.zeros(2, 3, dtype=torch.bool)})
    with pytest.raises(ValueError, match=r"^gae: value has shape \[128, 4\] but reward has \[128, 64\]; pass both as"):
        check.same_shape("gae", {"value": torch.ones(128, 4), "reward": torch.ones(128, 64)}, "pass both as [T, N]")


@pytest.mark.parametrize("other", [[2, 1], [1, 2], [], [1]])
def test_a_shape_that_would_broadcast_is_refused(other):
    with pytest.raises(ValueError, match="pass all with one shape"):
        check.same_shape("f", {"x": torch.ones(other), "y": torch.ones(2)})


@pytest.mark.parametrize(
    "verify",
    [
        lambda x: check.same_shape("f", {"x": x, "y": torch.ones(())}),
        lambda x: check.shape("f", {"x": x}, [], "pass a scalar"),
        lambda x: check.boolean("f", {"x": x}),
        lambda x: check.floating("f", {"x": x}),
    ],
)
def test_what_is_no_tensor_is_a_type_error_that_names_it(verify):
    with pytest.raises(TypeError, match=r"^f: x is a float but must be a tensor; convert it by torch\.as_tensor\.$"):
        verify(1.0)


def test_shape_says_what_was_expected_and_the_remedy():
    check.shape("f", {"x": torch.ones(2, 1)}, (2, 1), "r")
    with pytest.raises(ValueError, match=r"^f: x has shape \[2\] but must have \[2, 1\]; add the last axis\.$"):
        check.shape("f", {"x": torch.ones(2)}, (2, 1), "add the last axis")


def test_a_scalar_is_a_number_or_a_tensor_without_axes():
    check.scalars("f", {"a": 1, "b": 0.5, "c": torch.tensor(2)})
    with pytest.raises(ValueError, match=r"^f: x has shape \[1\] but must have \[\]; pass a 0-d tensor"):
        check.scalars("f", {"x": torch.ones(1)})
    with pytest.raises(TypeError, match=r"^f: x is None but must be a number or a 0-d tensor\.$"):
        check.scalars("f", {"x": None})


def test_what_cannot_be_called_is_refused():
    check.callables("f", {"x": len, "y": torch.nn.Tanh()}, "r")
    with pytest.raises(TypeError, match=r"^f: x is a int but must be a function; pass one\.$"):
        check.callables("f", {"x": 3}, "pass one")


def test_dtypes_are_checked():
    check.boolean("f", {"x": torch.ones(2) > 0})
    check.floating("f", {"x": torch.ones(2, dtype=torch.bfloat16)})
    with pytest.raises(TypeError, match=r"f: done is torch\.uint8 but must be torch\.bool"):
        check.boolean("f", {"done": torch.ones(2, dtype=torch.uint8)})
    with pytest.raises(TypeError, match=r"f: reward is torch\.bool but must be floating point"):
        check.floating("f", {"reward": torch.ones(2) > 0})


@pytest.mark.parametrize(
    ("verify", "good", "bad", "words"),
    [
        (check.at_least, 0.0, -0.1, "at least 0"),
        (check.at_most, 0, 0.1, "at most 0"),
        (check.above, 1e-9, 0, "above 0"),
        (check.below, -1e-9, 0, "below 0"),
    ],
)
def test_limits_name_the_argument_and_refuse_nan(verify, good, bad, words):
    verify("f", {"x": good}, 0)
    for value in (bad, float("nan")):
        with pytest.raises(ValueError, match=f"^f: x is {value} but must be {words}.$"):
            verify("f", {"x": value}, 0)


def test_limits_do_not_read_tensors():
    check.at_least("f", {"x": torch.tensor(-1.0)}, 0)


def test_finite_names_the_first_bad_leaf_and_index():
    values = {"ok": torch.ones(2), "n": torch.tensor([1]), "bad": [torch.ones(1), torch.ones(2, 2)]}
    check.finite(values, "parameters")
    values["bad"][1][0, 1] = torch.inf
    with pytest.raises(ValueError, match=r"^parameters: bad\.1 is inf at \[0, 1\], and 1 of its 4 entries are not fin"):
        check.finite(values, "parameters")


def test_finite_names_a_lone_scalar():
    with pytest.raises(ValueError, match=r"^loss: the tensor is nan at \[\]"):
        check.finite(torch.tensor(torch.nan), "loss")


def test_finite_vanishes_where_values_cannot_be_read():
    def f(x):
        check.finite(x, "x")
        return x * 2

    bad = torch.tensor([torch.nan, 1.0])
    assert torch.vmap(f)(bad)[1] == 2
    assert torch.compile(f, backend="aot_eager", fullgraph=True)(bad)[1] == 2
    assert make_fx(f, tracing_mode="fake")(bad)(bad)[1] == 2


def test_finite_says_what_to_do():
    with pytest.raises(ValueError, match=r"not finite; mend the environment\.$"):
        check.finite(torch.tensor(torch.nan), "reward", "mend the environment")
