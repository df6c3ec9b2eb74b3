"""Recorded answers of the real tools, and a `flyctl` on PATH that gives them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.deploy.flyctl_stub import Flyctl, environment, install

FACTS = Path(__file__).parent / "facts"


@pytest.fixture(scope="session")
def facts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FACTS / "flyctl.json").read_text())
    return found


@pytest.fixture
def flyctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flyctl:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FLY_ACCESS_TOKEN", "token-that-nobody-sees")
    return install(tmp_path)
