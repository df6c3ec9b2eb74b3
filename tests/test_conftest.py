"""Property tests draw the same examples on every run."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st


def drawn() -> list[int]:
    examples: list[int] = []

    @given(st.integers(0, 2**16 - 1))
    def draw(number: int) -> None:
        examples.append(number)

    draw()
    return examples


def test_examples_do_not_depend_on_what_else_was_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn()
    path = tmp_path / "elsewhere.py"
    path.write_text(f"NUMBERS = {list(range(1000, 60_000, 500))}\n")
    spec = spec_from_file_location("elsewhere", path)
    assert spec is not None
    monkeypatch.setitem(sys.modules, "elsewhere", module_from_spec(spec))
    assert drawn() == before
    assert len(before) == 100
