"""Runs the tests that `rows.csv` names and says, section by section, how many of its rows hold.

    python -m tests.seeds [--rows FILE] [--root FOLDER]

It fails, and names the row, if a test is not there, asserts nothing, fails, is skipped or expected to fail, or is not
among those that run.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.seeds.rows import Row, read, refusal

ROOT = Path(__file__).parents[2]
ROWS = Path(__file__).with_name("rows.csv")


class Outcomes:
    """A plugin of pytest: what became of each test, by its id."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        outcome = "expected to fail" if hasattr(report, "wasxfail") else report.outcome
        if self.of.get(report.nodeid, "passed") == "passed":
            self.of[report.nodeid] = outcome

    def problem(self, test: str) -> str | None:
        """What is wrong with `test`, all its cases if it has several and none is named, or None."""
        found = {of for name, of in self.of.items() if name == test or name.startswith(f"{test}[")}
        bad = sorted(found - {"passed"})
        return f"it is {' and '.join(bad)}" if bad else None if found else "it is not among the tests that ran"


def run(tests: Sequence[str], root: Path) -> Outcomes:
    """What becomes of the tests, all cases of each, in one run of pytest."""
    outcomes = Outcomes()
    if tests:
        ids = dict.fromkeys(f"{root / test.partition('[')[0]}" for test in tests)
        pytest.main([f"--rootdir={root}", "-p", "no:cacheprovider", *ids], plugins=[outcomes])
    return outcomes


def problems(rows: Sequence[Row], root: Path) -> dict[Row, str]:
    """The rows whose test shows nothing or does not pass, and why."""
    found = {row: why for row in rows if (why := refusal(row.test, root))}
    outcomes = run([row.test for row in rows if row not in found], root)
    return found | {row: why for row in rows if row not in found and (why := outcomes.problem(row.test))}


def table(rows: Sequence[Row], bad: Sequence[Row]) -> str:
    """For each section, how many rows it has and how many of them hold, every test of theirs in every document."""
    lines = ["section   rows  passing"]
    for section in sorted({row.section for row in rows}):
        names = {row.row for row in rows if row.section == section}
        lines.append(f"{section:<8}{len(names):>6}{len(names - {row.row for row in bad}):>9}")
    names = {row.row for row in rows}
    return "\n".join([*lines, f"{'all':<8}{len(names):>6}{len(names - {row.row for row in bad}):>9}"])


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every row holds, else 1."""
    parser = argparse.ArgumentParser("python -m tests.seeds", description="Runs the tests that rows.csv names.")
    parser.add_argument("--rows", type=Path, default=ROWS, help="a csv file with the columns row,document,test")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that the tests' paths begin at")
    given = parser.parse_args(arguments)
    rows = read(given.rows)
    bad = problems(rows, given.root.resolve())
    print(table(rows, list(bad)))
    for row, why in bad.items():
        print(f"{row.row} ({row.document}): {row.test}: {why}.", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
