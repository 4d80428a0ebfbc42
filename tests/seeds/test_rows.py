"""The command over the rows refuses what shows nothing, and no row of the documents is missing."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.seeds.__main__ import ROOT, ROWS
from tests.seeds.rows import COLUMNS, read, refusal

MODULE = """
import pytest

def test_right(): assert 1 + 1 == 2
def test_refused():
    with pytest.raises(ZeroDivisionError):
        1 / 0
def test_by_a_helper(): helper()
def helper(): deeper()
def deeper(): assert len("a") == 1
@pytest.mark.parametrize("x", [1, 2])
def test_cases(x): assert x > 0

def test_wrong(): assert 1 + 1 == 3
@pytest.mark.parametrize("x", [1, -2])
def test_a_wrong_case(x): assert x > 0
@pytest.mark.skip(reason="not today")
def test_skipped(): assert 1 + 1 == 2
@pytest.mark.xfail(reason="known")
def test_expected_to_fail(): assert 1 + 1 == 3
@pytest.mark.xfail(reason="thought so")
def test_unexpectedly_right(): assert 1 + 1 == 2
@pytest.fixture
def broken(): raise OSError("no disk")
def test_of_a_broken_fixture(broken): assert 1 + 1 == 2
def test_nothing(): 1 + 1
def test_of_a_constant(): assert True
def test_of_a_function_never_called():
    def inner(): assert 1 + 1 == 3
def test_in_circles(): circle()
def circle(): circle()
"""
RIGHT = ["right", "refused", "by_a_helper", "cases", "cases[2]"]
WRONG = {
    "wrong": "it is failed",
    "a_wrong_case": "it is failed",
    "skipped": "it is skipped",
    "expected_to_fail": "it is expected to fail",
    "unexpectedly_right": "it is expected to fail",
    "of_a_broken_fixture": "it is failed",
    "cases[3]": "it is not among the tests that ran",
    "nothing": "it asserts nothing",
    "of_a_constant": "it asserts nothing",
    "of_a_function_never_called": "it asserts nothing",
    "in_circles": "it asserts nothing",
    "absent": "test_it.py has no test test_absent",
}
HEAD = ",".join(COLUMNS)


def command(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(MODULE)
    (folder / "rows.csv").write_text("\n".join([HEAD, *lines]) + "\n")
    arguments = ["--rows", str(folder / "rows.csv"), "--root", str(folder)]
    return subprocess.run(
        [sys.executable, "-m", "tests.seeds", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_rows_that_hold_are_counted_by_section(tmp_path):
    done = command(tmp_path, *[f"1{'ab'[i % 2]} {name},000,test_it.py::test_{name}" for i, name in enumerate(RIGHT)])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-4:] == [
        "section   rows  passing",
        "1a           3        3",
        "1b           2        2",
        "all          5        5",
    ]


def test_every_row_that_shows_nothing_is_named_with_the_reason(tmp_path):
    lines = [f"1a {name},000,test_it.py::test_{name}" for name in [*RIGHT, *WRONG]]
    done = command(tmp_path, *lines, "1b no file,000,test_that.py::test_right", "1b no test,000,test_it.py")
    assert done.returncode == 1
    assert sorted(done.stderr.splitlines()) == sorted(
        [
            *[f"1a {name} (000): test_it.py::test_{name}: {why}." for name, why in WRONG.items()],
            "1b no file (000): test_that.py::test_right: there is no test_that.py.",
            "1b no test (000): test_it.py: it is no id of a test: path::name.",
        ]
    )
    assert done.stdout.splitlines()[-3:] == [
        f"1a      {len(RIGHT) + len(WRONG):>6}        5",
        "1b           2        0",
        f"all     {len(RIGHT) + len(WRONG) + 2:>6}        5",
    ]


def test_a_row_holds_only_if_all_its_tests_do(tmp_path):
    done = command(tmp_path, "1a both,000,test_it.py::test_right", "1a both,002,test_it.py::test_wrong")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "all          1        0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line is"),
        ("row,test\n", "the first line is"),
        (f"{HEAD}\n", "there are no rows"),
        (f"{HEAD}\n1a x,000\n", "line 2.*three cells"),
        (f"{HEAD}\n1a x,,t.py::test_x\n", "line 2.*three cells"),
        (f"{HEAD}\n1a x, 000,t.py::test_x\n", "line 2.*three cells"),
        (f"{HEAD}\n1a x,000,t.py::test_x\n1a x,000,t.py::test_x\n", "line 3.*twice"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, text, message):
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"rows.csv.*{message}"):
        read(tmp_path / "rows.csv")


@pytest.mark.parametrize("row", read(ROWS), ids=lambda row: f"{row.document} {row.row}")
def test_every_row_names_a_test_that_is_there_and_asserts(row):
    assert refusal(row.test, ROOT) is None


# How many things of each kind a document shows: data (1a), modules over data (1b), specs, networks, exploration (1c),
# environments, transforms (1d), replay (1e), collectors, losses, loops (1f), and what is easily overlooked (1h).
ROWS_OF = {
    "-": {"1e": 1},
    "000": {"1a": 4, "1b": 5, "1h": 1},
    "001": {"1a": 2, "1b": 1, "1c": 8, "1d": 11, "1e": 2, "1f": 4, "1h": 3},
    "002": {"1b": 3, "1c": 9, "1d": 1, "1f": 1, "1h": 4},
    "003": {"1a": 13, "1b": 9, "1c": 7, "1d": 12, "1e": 5, "1f": 5, "1h": 7},
    "004": {"1b": 4, "1c": 9, "1d": 1, "1f": 1, "1h": 4},
}
CONTRACT = {"1a": 16, "1b": 14, "1c": 18, "1d": 17, "1e": 8, "1f": 10, "1h": 11}  # a thing in two documents counts once


@pytest.mark.parametrize("document", sorted({row.document for row in read(ROWS)}))
def test_no_row_of_a_document_is_missing(document):
    names = {row.row for row in read(ROWS) if row.document == document}
    assert dict(Counter(name.split(" ")[0] for name in names)) == ROWS_OF[document]


def test_a_thing_that_several_documents_show_has_one_name_in_all_of_them():
    found = Counter(name.split(" ")[0] for name in {row.row for row in read(ROWS)})
    assert found == Counter(CONTRACT)


def test_no_document_is_missing():
    assert {row.document for row in read(ROWS)} == set(ROWS_OF)
