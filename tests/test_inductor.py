"""`frl.inductor`: settings and shortcuts that hold while compiling only."""

from torch._inductor import config
from torch._inductor.dtype_propagation import DtypePropagationOpsHandler

from frl import inductor


def test_settings_hold_inside_and_not_after():
    before, fill = config.cpp_wrapper, DtypePropagationOpsHandler.__init__
    with inductor.settings():
        assert config.cpp_wrapper
        assert DtypePropagationOpsHandler.__init__ is not fill
    assert config.cpp_wrapper is before
    assert DtypePropagationOpsHandler.__init__ is fill
