"""Inductor's settings hold while frl compiles, and only then; products of few rows are the products they replace."""

import pytest
import torch

from frl import inductor

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of torch's compiler, when imported


def test_settings_end_with_their_scope() -> None:
    from torch._inductor import config
    from torch._inductor.dtype_propagation import DtypePropagationOpsHandler

    before = (config.cpp_wrapper, config.realize_opcount_threshold, DtypePropagationOpsHandler.__init__)
    with inductor.settings():
        assert config.cpp_wrapper
    assert (config.cpp_wrapper, config.realize_opcount_threshold, DtypePropagationOpsHandler.__init__) == before


@pytest.mark.parametrize("rows", [1, 4])
def test_a_product_of_few_rows_is_the_product(rows: int) -> None:
    x, y, bias = torch.arange(3.0 * rows).reshape(rows, 3), torch.arange(6.0).reshape(3, 2), torch.tensor([1.0, -1.0])
    table = inductor.decompositions()
    torch.testing.assert_close(table[torch.ops.aten.mm.default](x, y), x @ y)
    torch.testing.assert_close(table[torch.ops.aten.addmm.default](bias, x, y), x @ y + bias)
