"""Building one layer: what it may write, how long it may take, what is left of it."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from modal_proto import api_pb2

from infra.localcloud.modal import builds, confine
from infra.localcloud.modal.blobs import Blobs
from infra.localcloud.modal.builds import BuildError, Layer, Source, build
from infra.localcloud.modal.images import Images
from infra.localcloud.modal.layers import HOME, Copy, Run, Step
from infra.localcloud.modal.mounts import Mounts
from infra.localcloud.modal.store import Store
from tests.infra.localcloud.modal.harness import eventually

needs_landlock = pytest.mark.skipif(not confine.is_supported(), reason="builds need Linux with Landlock")


async def _build(folder: Path, *steps: Step, base: Path | None = None, **context: Source) -> str:
    """Builds into `folder`/image and returns the log."""
    layer = Layer(steps, {f"/{name}": source for name, source in context.items()}, {"MADE": "/made"})
    log = folder / "image.log"
    try:
        await build(Path(sys.executable), base, folder / "image", layer, log)
    finally:
        assert log.is_file()
    return log.read_text()


def _run(command: str) -> Run:
    return Run(command, HOME)


@needs_landlock
@pytest.mark.parametrize(
    "command",
    [
        'python -c \'open("{outside}/written", "w")\'',
        "ln -s {outside} link && echo more > link/written",
        "mv {outside}/kept .",
        "echo more >> {outside}/kept",
        "ln {outside}/kept linked && echo more >> linked",
        "mkdir {outside}/made",
    ],
)
async def test_a_command_writes_into_its_image_only(tmp_path: Path, command: str) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "kept").write_text("as it was\n")
    # `..` leads past the translation of paths, so that it is the kernel's rule that holds.
    around = f"{'../' * 40}{outside}"
    with pytest.raises(BuildError, match="it exited with status"):
        await _build(tmp_path, _run(command.format(outside=around)))
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert (outside / "kept").read_text() == "as it was\n"
    assert not (tmp_path / "image").exists()


@needs_landlock
async def test_absolute_paths_variables_and_temporary_files_are_the_images(tmp_path: Path) -> None:
    command = 'echo text > /made/a && cat "$MADE/a" && cd / && ls && mktemp && echo "$HOME" && command -v python'
    said = await _build(tmp_path, _run("mkdir /made"), _run(command))
    *_, text, made, root, tmp, temporary, home, python = said.splitlines()
    image = tmp_path / "image"
    assert [text, made, root, tmp, home] == ["text", "made", "root", "tmp", str(image / "root")]
    assert Path(temporary).parent == image / "tmp"
    assert Path(python).parent == Path(sys.executable).parent


@needs_landlock
async def test_a_build_that_takes_too_long_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "LIMIT_S", 1.0)
    with pytest.raises(BuildError, match="more than 1 s"):
        await _build(tmp_path, _run(f"sleep 20.1{os.getpid()} & sleep 20.2{os.getpid()}"))
    commands = (["sleep", f"20.1{os.getpid()}"], ["sleep", f"20.2{os.getpid()}"])
    left = [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] in commands]
    assert left == []
    assert not (tmp_path / "image").exists()


@needs_landlock
async def test_a_layer_leaves_its_base_as_it_is(tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "root").mkdir(parents=True)
    (base / "root" / "file").write_text("base\n")
    await _build(tmp_path, _run("echo layer >> file && echo new > other"), base=base)
    assert (tmp_path / "image" / "root" / "file").read_text() == "base\nlayer\n"
    assert [(path.name, path.read_text()) for path in (base / "root").iterdir()] == [("file", "base\n")]


async def test_copies_take_the_whole_context_or_one_file_of_it(tmp_path: Path) -> None:
    stored = tmp_path / "stored"
    stored.write_text("from a mount")
    await _build(
        tmp_path,
        Copy(".", "/all"),
        Copy("one", "/named"),
        Copy("/one", "/folder/"),
        one=(b"bytes", 0o755),
        two=(stored, 0),
    )
    image = tmp_path / "image"
    assert {path.name: path.read_text() for path in (image / "all").iterdir()} == {
        "one": "bytes",
        "two": "from a mount",
    }
    assert (image / "named").read_text() == (image / "folder/one").read_text() == "bytes"
    assert (image / "named").stat().st_mode & 0o777 == 0o755
    with pytest.raises(BuildError, match="COPY three /x: there is no such file"):
        await _build(tmp_path, Copy("three", "/x"))


@pytest.mark.parametrize("target", ["/link/written", "/../written"])
async def test_a_copy_does_not_leave_the_image(tmp_path: Path, target: str) -> None:
    base, outside = tmp_path / "base", tmp_path / "elsewhere"
    base.mkdir()
    outside.mkdir()
    (base / "link").symlink_to(outside)
    with pytest.raises(BuildError, match="leads out of the image"):
        await _build(tmp_path, Copy("one", target), base=base, one=(b"bytes", 0))
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "written").exists()


async def test_no_command_runs_where_the_kernel_cannot_confine_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confine, "is_supported", lambda: False)
    with pytest.raises(BuildError, match="cannot keep a build in its folder"):
        await _build(tmp_path, _run("true"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite")
    yield store
    store.close()


def _images(store: Store, folder: Path) -> Images:
    mounts = Mounts(store, Blobs(folder / "blobs"), folder)
    return Images(store, mounts, folder / "images", Path(sys.executable))


async def _on_base(images: Images, *lines: str) -> api_pb2.ImageGetOrCreateResponse:
    base = await images.get_or_create(
        api_pb2.ImageGetOrCreateRequest(image=api_pb2.Image(dockerfile_commands=["FROM a"]))
    )
    layer = api_pb2.Image(
        base_images=[api_pb2.BaseImage(docker_tag="base", image_id=base.image_id)],
        dockerfile_commands=["FROM base", *lines],
        context_files=[api_pb2.ImageContextFile(filename="/one", data=b"bytes")],
    )
    return await images.get_or_create(api_pb2.ImageGetOrCreateRequest(image=layer))


async def _followed(images: Images, image_id: str) -> api_pb2.GenericResult:
    request = api_pb2.ImageJoinStreamingRequest(image_id=image_id, timeout=20)
    *_, last = [response async for response in images.join(request)]
    return last.result


async def test_a_folder_that_a_dead_stand_in_left_half_made_is_built_again(tmp_path: Path, store: Store) -> None:
    images = _images(store, tmp_path)
    made = await _on_base(images, "COPY one /")
    half_made = tmp_path / "images" / made.image_id / "one"
    assert (await _followed(images, made.image_id)).status == api_pb2.GenericResult.GENERIC_STATUS_SUCCESS
    assert (await _on_base(images, "COPY one /")).result.status == api_pb2.GenericResult.GENERIC_STATUS_SUCCESS

    half_made.write_text("by")
    store.execute("DELETE FROM images WHERE id = ?", made.image_id)
    later = _images(store, tmp_path)
    again = await _on_base(later, "COPY one /")
    assert (again.image_id, again.result.status) == (made.image_id, 0)
    assert (await _followed(later, made.image_id)).status == api_pb2.GenericResult.GENERIC_STATUS_SUCCESS
    assert half_made.read_text() == "bytes"


async def test_two_deploys_at_once_follow_the_same_build(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, begun = asyncio.Event(), []

    async def held(python: Path, base: Path | None, folder: Path, layer: Layer, log: Path) -> None:
        begun.append(folder)
        await go.wait()

    monkeypatch.setattr("infra.localcloud.modal.images.build", held)
    images = _images(store, tmp_path)
    one, other = [await _on_base(images, "COPY one /") for _ in range(2)]
    assert (one.image_id, one.result.status) == (other.image_id, other.result.status)
    go.set()
    assert (await _followed(images, one.image_id)).status == api_pb2.GenericResult.GENERIC_STATUS_SUCCESS
    assert len(begun) == 1


@needs_landlock
async def test_a_stand_in_that_ends_ends_its_builds_and_says_so(tmp_path: Path, store: Store) -> None:
    images = _images(store, tmp_path)
    begun = await _on_base(images, "RUN sleep 20.39")
    log = tmp_path / "images" / f"{begun.image_id}.log"
    await eventually(lambda: "=> RUN" in log.read_text())
    await images.stop()
    result = await _followed(images, begun.image_id)
    assert (result.status, result.exception) == (api_pb2.GenericResult.GENERIC_STATUS_TERMINATED, "the stand-in ended")
    assert not (tmp_path / "images" / begun.image_id).exists()
