"""Stub commands on PATH, and a runner of steps that finds them first."""

import json
from pathlib import Path

import pytest

from infra.sources import ROOT
from tests.workflows.answers import OUTPUTS, UPDATE
from tests.workflows.runner import Runner
from tests.workflows.stub import Stub


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def pulumi(bin_folder: Path) -> Stub:
    stub = Stub(bin_folder, "pulumi")
    stub.replies(
        ("stack history", json.dumps([UPDATE]), 0),
        ("stack output", json.dumps(OUTPUTS), 0),
        ("config set", "", 0),
        ("up", "", 0),
        ("refresh", "", 0),
    )
    return stub


@pytest.fixture
def gh(bin_folder: Path) -> Stub:
    return Stub(bin_folder, "gh")


@pytest.fixture
def runner(tmp_path: Path, bin_folder: Path) -> Runner:
    return Runner(ROOT, tmp_path / "temp", [bin_folder])
