"""A server of weights on this machine, and locks that point to it."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gpu.render.storage import Storage, serving

NETWORK = bytes(range(256)) * 5000
"""1.3 MB: more than one block."""
MakeLock = Callable[..., Path]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as running:
        running.serves_ranges = False
        running.objects["network.pth"] = NETWORK
        yield running


@pytest.fixture
def make_lock(server: Storage, tmp_path: Path) -> MakeLock:
    def make(*changes: dict[str, Any]) -> Path:
        """A lock with one entry for each dict of changes; unchanged, an entry is verified and right."""
        path = tmp_path / "weights.lock"
        path.write_text(json.dumps({"weights": [{**entry(server), **change} for change in changes or ({},)]}))
        return path

    return make


def entry(server: Storage) -> dict[str, Any]:
    return {
        "name": "network",
        "file": "network.pth",
        "url": f"http://127.0.0.1:{server.port}/network.pth",
        "licence": "MIT",
        "sha256": hashlib.sha256(NETWORK).hexdigest(),
        "bytes": len(NETWORK),
    }


UNVERIFIED: dict[str, Any] = {"sha256": None, "bytes": None}
