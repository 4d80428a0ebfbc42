import operator

import pytest
import torch
import torch.nn.functional as F

from tests.rank_guard import RankGuard

B = 4
COLUMN, ROW, ONE = torch.ones(B, 1), torch.ones(B), torch.tensor(2.0)

OPERATIONS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "**": operator.pow,
    "<": operator.lt,
    "==": operator.eq,
    "&": lambda x, y: (x > 0) & (y > 0),
    "in place": lambda x, y: torch.ones(B, B).mul_(x).add_(y),
    "method": lambda x, y: x.sub(y),
    "torch.minimum": torch.minimum,
    "torch.where": lambda x, y: torch.where(x > 0, x, y),
    "torch.lerp": lambda x, y: torch.lerp(x, y, 0.5),
    "clamp": lambda x, y: x.clamp(max=y),
    "keyword": lambda x, y: torch.add(input=x, other=y),
    "mse_loss": lambda x, y: F.mse_loss(x, y.clone(), reduction="none"),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_a_column_against_a_row_is_caught(operation):
    assert operation(COLUMN, ROW).shape == (B, B)  # what happens in silence
    with RankGuard(), pytest.raises(ValueError, match="different ranks"):
        operation(COLUMN, ROW)


@pytest.mark.parametrize("operation", [operator.add, torch.minimum, operator.lt])
def test_operands_that_expand_each_other_are_caught(operation):
    with RankGuard(), pytest.raises(ValueError, match=r"against each other: \[\[4, 1\], \[1, 4\]\] give \[4, 4\]"):
        operation(COLUMN, COLUMN.mT)


def test_scalars_equal_shapes_and_one_sided_expansion_pass():
    with RankGuard():
        assert (ONE * ROW + 1.0 - ROW).shape == (B,)
        assert (2 - ROW).shape == (B,)
        assert (torch.ones(B, 3) * COLUMN).shape == (B, 3)
        assert torch.where(ROW > 0, ROW, 0.0).shape == (B,)


def test_the_guard_sees_through_vmap_and_grad():
    def loss(x):
        return (x[:, None] - x).square().mean()

    with RankGuard(), pytest.raises(ValueError, match="different ranks"):
        torch.vmap(torch.func.grad(loss))(torch.ones(2, B))


def test_operations_that_are_not_elementwise_pass():
    with RankGuard():
        assert F.linear(torch.ones(2, 3, 5), torch.ones(7, 5), torch.ones(7)).shape == (2, 3, 7)
        assert (torch.ones(2, 3, 4) @ torch.ones(4)).shape == (2, 3)
