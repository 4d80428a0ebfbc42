"""The rows of a table of promises, and whether the tests they name are there and assert something."""

import ast
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

COLUMNS = ["row", "document", "test"]
ASSERTING = {"raises", "assert_close"}  # of pytest and of torch.testing
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Row(NamedTuple):
    """A thing that a document shows, and one test of it: `path/to/test_file.py::test_name`."""

    row: str
    document: str
    test: str

    @property
    def section(self) -> str:
        return self.row.split(" ", 1)[0]


def read(path: Path) -> list[Row]:
    """The rows of a csv file. Raises: ValueError that names the line, for a line that is no row or stands twice."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    if not lines or lines[0] != COLUMNS:
        raise ValueError(f"{path.name}: the first line is {lines[:1]}; expected {','.join(COLUMNS)}.")
    rows: list[Row] = []
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(COLUMNS) or not all(cell.strip() == cell != "" for cell in line):
            raise ValueError(f"{path.name}, line {number}: {line} must have the three cells {','.join(COLUMNS)}.")
        if Row(*line) in rows:
            raise ValueError(f"{path.name}, line {number}: {line} stands there twice; delete one.")
        rows.append(Row(*line))
    if not rows:
        raise ValueError(f"{path.name}: there are no rows in it.")
    return rows


def refusal(test: str, root: Path) -> str | None:
    """Why `test`, an id below `root`, can show nothing, or None: no such file or function, or nothing is asserted.

    A test asserts by `assert` on anything but a constant, `pytest.raises` or `assert_close`, in its own body or in that
    of a function of its module that it calls, and so on.
    """
    path, _, name = test.partition("::")
    file = root / path
    if not name or not file.is_file():
        return f"there is no {path}" if name else "it is no id of a test: path::name"
    functions = {node.name: node for node in ast.parse(file.read_text()).body if isinstance(node, Function)}
    found = functions.get(name.partition("[")[0])
    if found is None or not found.name.startswith("test_"):
        return f"{path} has no test {name}"
    return None if _asserts(found, functions, set()) else "it asserts nothing"


def _asserts(function: Function, functions: dict[str, Function], seen: set[str]) -> bool:
    """Whether `function`, or one of `functions` that it calls, asserts something."""
    nodes = list(_own(function))
    inner = {node.name: node for node in nodes if isinstance(node, Function)}
    known = {**functions, **inner}
    for node in nodes:
        if isinstance(node, ast.Assert) and not isinstance(node.test, (ast.Constant, ast.Tuple)):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if name in ASSERTING:
                return True
            if name in known and name not in seen and _asserts(known[name], known, seen | {name}):
                return True
    return False


def _own(function: Function) -> Iterator[ast.AST]:
    """The nodes of the body of `function`, without those in the bodies of functions that it only defines."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (Function, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(node))
