"""Which public names of the library stand between a bad call and its refusal.

They are read off the traceback: the functions whose code, or whose inner functions' code, is on the way, and the
classes of the objects whose methods are.
"""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import CodeType, FrameType, TracebackType
from typing import Any

import frl

PACKAGES = [f"frl.{info.name}" for info in pkgutil.iter_modules(frl.__path__) if info.ispkg]
OPEN_MODULES = ["frl.random", "frl.control", "frl.tree"]  # used as modules: all that they define is public


def public() -> dict[str, Any]:
    """Every function and class that a package offers, by its name: `nn.MLP`, `random.key`, `compile`."""
    found = {"compile": frl.compile}
    for space in (*PACKAGES, *OPEN_MODULES):
        for name, value in vars(import_module(space)).items():
            own = getattr(value, "__module__", "").startswith("frl" if space in PACKAGES else space)
            if own and not name.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value)):
                found[f"{space}.{name}".removeprefix("frl.")] = value
    return found


NAMES = public()
CLASSES = {value: name for name, value in NAMES.items() if inspect.isclass(value)}


def codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of all functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


FUNCTIONS = {
    code: name
    for name, value in NAMES.items()
    if not inspect.isclass(value)
    for code in codes(inspect.unwrap(value).__code__)
}


def reached(trace: TracebackType | None) -> set[str]:
    """The public names on a traceback."""
    found: set[str] = set()
    while trace is not None:
        found |= _names(trace.tb_frame)
        trace = trace.tb_next
    return found


def _names(frame: FrameType) -> set[str]:
    if frame.f_code in FUNCTIONS:
        return {FUNCTIONS[frame.f_code]}
    if not frame.f_globals.get("__name__", "").startswith("frl"):
        return set()
    owner = frame.f_locals.get("self", frame.f_locals.get("cls"))
    kinds = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
    return set([CLASSES[kind] for kind in kinds if kind in CLASSES][:1])
