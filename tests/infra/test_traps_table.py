"""The table of traps in README.md: numbered without gaps, each with its reason and with tests that are run."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

from infra.sources import ROOT

README = Path(__file__).with_name("README.md")
NUMBER = re.compile(r"([A-Z])(\d+)")
TEST = re.compile(r"`([\w/.-]+\.py)::(test_\w+)`")
SECTIONS = ("C", "P", "D", "F", "M", "W", "R")


class Trap(NamedTuple):
    number: str
    wrong: str
    why_not: str
    tests: str


@cache
def traps() -> tuple[Trap, ...]:
    rows = [line for line in README.read_text().splitlines() if re.match(r"\| [A-Z]\d", line)]
    return tuple(Trap(*(cell.strip() for cell in row.strip("|").split("|"))) for row in rows)


def named() -> set[tuple[str, str]]:
    """(file from the root, test) of every row; a name without `tests/` is in this folder."""
    return {
        (path if path.startswith("tests/") else f"tests/infra/{path}", test)
        for trap in traps()
        for path, test in TEST.findall(trap.tests)
    }


@cache
def runs_in(path: str) -> frozenset[str]:
    """Tests that pytest collects of a file and always runs: on its top level, with a name of a test, marked as neither
    skipped nor failing. Whether the file can be imported shows when its own tests run."""
    file = ROOT / path
    if not file.is_file() or not file.name.startswith("test_"):
        return frozenset()
    functions = [
        node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    names = Counter(function.name for function in functions)
    marked = {
        function.name
        for function in functions
        if any(re.search(r"mark\.(skip|xfail)\b", ast.unparse(mark)) for mark in function.decorator_list)
    }
    return frozenset(name for name, times in names.items() if name.startswith("test_") and times == 1) - marked


def test_the_numbers_have_no_gap_in_any_section() -> None:
    numbers = [NUMBER.fullmatch(trap.number) for trap in traps()]
    assert all(numbers), [trap.number for trap in traps()]
    order = [(match[1], int(match[2])) for match in numbers if match]
    expected = [
        (section, number)
        for section in SECTIONS
        for number in range(1, Counter(letter for letter, _ in order)[section] + 1)
    ]
    assert order == expected
    assert {section for section, _ in order} == set(SECTIONS)


def test_every_row_is_complete() -> None:
    for trap in traps():
        assert len(trap.wrong) > 10, trap
        assert len(trap.why_not) > 5, trap
        assert TEST.sub("", trap.tests).strip() == "", f"{trap.number} has more than names of tests: {trap.tests}"
        assert TEST.search(trap.tests), f"{trap.number} names no test"


def test_every_test_it_names_is_run() -> None:
    assert [(path, test) for path, test in sorted(named()) if test not in runs_in(path)] == []


def test_what_would_not_run_is_noticed(tmp_path: Path) -> None:
    lines = [
        "def test_a(): ...",
        "@pytest.mark.skip\ndef test_b(): ...",
        "@pytest.mark.xfail(reason='')\nasync def test_c(): ...",
        "def test_d(): ...\ndef test_d(): ...",
        "if 0:\n    def test_e(): ...",
        "def helper(): ...",
    ]
    (tmp_path / "test_x.py").write_text("\n".join(lines))
    assert runs_in(str(tmp_path / "test_x.py")) == {"test_a"}
    assert runs_in(str(tmp_path / "x.py")) == frozenset()


def test_every_trap_test_is_in_the_table() -> None:
    """What lies in `traps/` is there for the sake of a row."""
    files = (Path(__file__).parent / "traps").glob("test_*.py")
    tests = {
        (path.relative_to(ROOT).as_posix(), test)
        for path in files
        for test in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert sorted(tests - named()) == []
