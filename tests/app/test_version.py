from pathlib import Path

import pytest

from app import version


def test_the_image_says_its_commit() -> None:
    assert version.version_from({"GIT_SHA": "abc123"}) == "abc123"


def test_without_git_the_version_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert version.version_from({}) == "unknown"
