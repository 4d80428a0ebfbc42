"""Every notebook runs from top to bottom, says nothing on stderr, and is stored without what it prints."""

import warnings
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of jupyter itself
    import nbformat
    from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
SECONDS = 120  # for one cell; twice what a whole notebook takes on a slow processor

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def test_there_is_one() -> None:
    assert NOTEBOOKS


@every_notebook
@pytest.mark.filterwarnings("ignore")  # of jupyter itself; those of the cells would stand on their stderr
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = read(path)
    NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = [out.text for cell in notebook.cells for out in cell.get("outputs", []) if out.get("name") == "stderr"]
    assert not said


@every_notebook
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert not [cell.id for cell in code if cell.outputs or cell.execution_count is not None]


@every_notebook
def test_a_notebook_is_small_and_explains_itself(path: Path) -> None:
    cells = read(path).cells
    assert path.stat().st_size < 100_000
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
