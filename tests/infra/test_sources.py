"""A hash changes with exactly the files that a deployment ships."""

from pathlib import Path

import pytest

from infra import sources
from infra.localcloud.fly.images.ignore import IgnoreRules, context_files
from infra.sources import FUNCTIONS, IMAGE, LANDING, ROOT, WEB, Shipment, content_hash, files

SHIPMENTS = {"image": IMAGE, "functions": FUNCTIONS, "web": WEB, "landing": LANDING}
FILES = {
    "app/main.py": {"image"},
    "app/Dockerfile": {"image"},
    "requirements/image.lock": {"image"},
    ".dockerignore": {"image"},
    "gpu/plan/spec.py": {"image", "functions"},
    "requirements/gpu.lock": {"functions"},
    "requirements/networks.lock": {"functions"},
    "app/web/src/main.tsx": {"web"},
    "app/web/package-lock.json": {"web"},
    "app/web/landing/index.html": {"landing"},
    "app/fly.staging.toml": set(),
    "app/README.md": set(),
    "app/web/node_modules/x/index.js": set(),
    "app/__pycache__/main.pyc": set(),
    "infra/stack.py": set(),
    "tests/test_x.py": set(),
    "Pulumi.staging.yaml": set(),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize("changed", FILES)
def test_a_changed_file_changes_only_the_hashes_of_what_ships_it(tree: Path, changed: str) -> None:
    before = {name: content_hash(shipment, tree) for name, shipment in SHIPMENTS.items()}
    (tree / changed).write_text("changed")
    after = {name: content_hash(shipment, tree) for name, shipment in SHIPMENTS.items()}
    assert {name for name in SHIPMENTS if before[name] != after[name]} == FILES[changed]


def test_a_renamed_file_changes_the_hash(tree: Path) -> None:
    before = content_hash(FUNCTIONS, tree)
    (tree / "gpu/plan/spec.py").rename(tree / "gpu/plan/other.py")
    assert content_hash(FUNCTIONS, tree) != before


def test_moving_bytes_between_files_changes_the_hash(tmp_path: Path) -> None:
    folder = tmp_path / "gpu"
    folder.mkdir()
    (folder / "a").write_text("1")
    (folder / "b").write_text("23")
    before = content_hash(Shipment(("gpu",)), tmp_path)
    (folder / "a").write_text("12")
    (folder / "b").write_text("3")
    assert content_hash(Shipment(("gpu",)), tmp_path) != before


def test_times_do_not_count(tree: Path) -> None:
    before = content_hash(IMAGE, tree)
    (tree / "app/main.py").touch()
    assert content_hash(IMAGE, tree) == before


def test_the_image_hash_covers_exactly_the_build_context() -> None:
    context = set(context_files(ROOT, IgnoreRules.read(ROOT / ".dockerignore")))
    hashed = {path.relative_to(ROOT).as_posix() for path in files(IMAGE)}
    assert hashed - {".dockerignore"} == context


def test_sources_are_counted_below_the_root() -> None:
    assert (sources.ROOT / "Pulumi.yaml").is_file()
