"""Compiled programs on disk: the next process loads what this one compiled, without torch's compiler.

A program is one shared library, in `frl/` under Inductor's cache directory. Its name is a hash of the traced graph and
of all else that shaped it, so a program is never out of date: remove the directory at any time.
"""

import contextlib
import hashlib
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import inductor, tracing
from .inductor import Program

_ENTRY = "inductor_entry_cpp"  # the name of both the library's module and its function
_C: Any = torch._C


def key(graph: tracing.Graph) -> str | None:
    """The name of a graph's program; None where a shared library alone is not the whole program.

    That is so on other devices than the CPU, and with operators that are not torch's own.
    """
    lines = list(_lines(graph))
    if None in lines or _tensor_data() is None:
        return None
    return hashlib.sha256("\n".join([*_surroundings(), *map(str, lines)]).encode()).hexdigest()


def load(name: str) -> Program | None:
    """The program of that name, if there is one that can be loaded."""
    path = _path(name)
    if not path.exists():
        return None
    os.environ["_TORCHINDUCTOR_PYOBJECT_TENSOR_DATA_PTR"] = str(_tensor_data())  # the library reads it
    spec = importlib.util.spec_from_file_location(f"{name}.{_ENTRY}", path)
    assert spec is not None
    assert spec.loader is not None
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except ImportError:  # damaged: made anew
        return None
    entry = getattr(module, _ENTRY)

    def program(tensors: list[Tensor]) -> Sequence[Tensor]:
        handles = _C._aoti.unsafe_alloc_void_ptrs_from_tensors(tensors)
        return _C._aoti.alloc_tensors_by_stealing_from_void_ptrs(entry(handles))

    return program


def save(name: str, library: str) -> None:
    """Keeps the program in the file `library`, whole or not at all; where the disk is full or read-only, not at all."""
    path = _path(name)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as directory:
            os.replace(shutil.copy(library, directory), path)


def library_loaded_since(modules: set[str]) -> str | None:
    """The shared library that Inductor loaded since `sys.modules` had these names, if it was one."""
    new = [module for name, module in sys.modules.items() if name.endswith(f".{_ENTRY}") and name not in modules]
    return new[0].__file__ if len(new) == 1 else None


def _path(name: str) -> Path:
    return inductor.cache_directory() / "frl" / f"{name}.so"


def _tensor_data() -> Any:
    return getattr(_C._dynamo.guards, "_torchinductor_pyobject_tensor_data_ptr", None)


def _lines(graph: tracing.Graph) -> Iterator[str | None]:
    for node in graph.fx.nodes:
        value = node.meta.get("val")
        if isinstance(value, Tensor) and value.device.type != "cpu":
            yield None
        if isinstance(node.target, torch._ops.OpOverload) and node.target.namespace not in ("aten", "prims"):
            yield None
        yield f"{node.name} = {node.op} {node.target} {node.args} {node.kwargs}"
        if node.op == "placeholder":
            yield f"{value.dtype} {value.shape} {value.stride()} {value.storage_offset()}"
    for name, body in graph.bodies.items():
        yield name
        yield from _lines(body)


def _surroundings() -> Iterator[str]:
    """What shapes a program beside its graph: versions, settings, threads and the processor."""
    yield f"{torch.__version__} {torch.version.git_version} {platform.python_version()} {os.environ.get('CXX')}"
    yield inductor.identity()
    yield f"{torch.get_num_threads()} {torch.get_float32_matmul_precision()}"
    yield f"{torch.are_deterministic_algorithms_enabled()} {_C._get_deterministic_fill_uninitialized_memory()}"
    yield f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()} {_processor()}"


def _processor() -> str:
    """The instructions that this processor has: a program is compiled for these."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return platform.processor()
