"""Images: which files end up where, digests, and references."""

from pathlib import Path

import pytest

from infra.localcloud.fly.errors import InvalidError, NotFoundError
from infra.localcloud.fly.images.store import Build, ImageStore, Source

DOCKERFILE = 'FROM a\nWORKDIR /srv\nCOPY app app\nCOPY conf/*.ini run.sh /etc/app/\nCMD ["python", "-m", "app"]\n'


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    for path, text in {
        "app/main.py": "print()",
        "app/secret.env": "x",
        "app/sub/deep.py": "1",
        "conf/a.ini": "a",
        "conf/b.txt": "b",
        "run.sh": "#!/bin/sh",
        "Dockerfile": DOCKERFILE,
        ".dockerignore": "**/*.env\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "run.sh").chmod(0o755)
    (folder / "app" / "link").symlink_to("main.py")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def build(store: ImageStore, context: Path, **options: str) -> Build:
    return store.build("api", Source(context, context / "Dockerfile", **options))  # type: ignore[arg-type]


def files(store: ImageStore, digest: str) -> set[str]:
    root = store.root(digest)
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def test_only_what_is_copied_and_not_ignored_is_in_the_image(store: ImageStore, context: Path) -> None:
    built = build(store, context)
    root = store.root(built.image.digest)
    expected = {"srv/app/main.py", "srv/app/sub/deep.py", "srv/app/link", "etc/app/a.ini", "etc/app/run.sh"}
    assert files(store, built.image.digest) == expected
    assert (root / "etc/app/run.sh").stat().st_mode & 0o100
    assert (root / "srv/app/link").is_symlink()


def test_an_ignore_file_elsewhere_replaces_the_contexts_own(store: ImageStore, context: Path, tmp_path: Path) -> None:
    (tmp_path / "ignore").write_text("app/sub\n")
    built = store.build("api", Source(context, context / "Dockerfile", tmp_path / "ignore"))
    assert "srv/app/secret.env" in files(store, built.image.digest)
    assert "srv/app/sub/deep.py" not in files(store, built.image.digest)


def test_the_same_files_are_the_same_image_and_any_change_is_another(store: ImageStore, context: Path) -> None:
    first = build(store, context).image.digest
    assert build(store, context).image.digest == first
    (context / "app/secret.env").write_text("changed, but ignored")
    assert build(store, context).image.digest == first
    (context / "run.sh").chmod(0o644)
    second = build(store, context).image.digest
    (context / "app/main.py").write_text("print(2)")
    third = build(store, context).image.digest
    assert len({first, second, third}) == 3


def test_a_source_that_is_not_in_the_context_fails_the_build(store: ImageStore, context: Path) -> None:
    (context / ".dockerignore").write_text("app\n")
    with pytest.raises(InvalidError, match='"/app" not found'):
        build(store, context)


def test_references_resolve_by_tag_and_by_digest(store: ImageStore, context: Path) -> None:
    built = build(store, context)
    digest, tag = built.image.digest, built.reference.tag
    assert tag is not None
    assert tag.startswith("deployment-")
    assert str(built.reference) == f"registry.fly.io/api:{tag}@{digest}"
    for text in (f"registry.fly.io/api:{tag}", f"registry.fly.io/api@{digest}", str(built.reference)):
        assert store.resolve(text).digest == digest


def test_a_label_becomes_the_tag(store: ImageStore, context: Path) -> None:
    assert build(store, context, label="abc123").reference.tag == "abc123"


@pytest.mark.parametrize(
    "reference",
    ["registry.fly.io/api:none", f"registry.fly.io/api@sha256:{'0' * 64}", "nginx", "registry.fly.io/../x:y"],
)
def test_unknown_images_are_named(store: ImageStore, reference: str) -> None:
    with pytest.raises(NotFoundError, match="could not find image"):
        store.resolve(reference)


def test_a_broken_build_leaves_nothing_behind(store: ImageStore, context: Path, tmp_path: Path) -> None:
    (context / "Dockerfile").write_text(DOCKERFILE.replace("run.sh", "run.sh missing"))
    with pytest.raises(InvalidError):
        build(store, context)
    assert list((tmp_path / "images").iterdir()) == []
