"""What the stand-in makes of the lines of a layer, and which paths are the image's."""

from pathlib import Path

import pytest
from grpclib import GRPCError
from modal_proto import api_pb2

from infra.localcloud.modal.layers import HOME, Copy, Run, Skipped, command_in, steps, variables_in


def _layer(*lines: str, base: str = "im-base") -> api_pb2.Image:
    bases = [api_pb2.BaseImage(docker_tag="base", image_id=base)] if base else []
    return api_pb2.Image(base_images=bases, dockerfile_commands=["FROM base", *lines])


@pytest.mark.parametrize(
    ("command", "translated"),
    [
        ("cd /root && fetch /weights a", "cd IMAGE/root && fetch IMAGE/weights a"),
        ("cp '/data/a' \"/data/b\" --to=/data >/log", "cp 'IMAGE/data/a' \"IMAGE/data/b\" --to=IMAGE/data >IMAGE/log"),
        ("A=/a:/b ls /", "A=IMAGE/a:IMAGE/b ls IMAGE/"),
        ("ls /tmp /device", "ls IMAGE/tmp IMAGE/device"),
        ("/usr/bin/env x > /dev/null; cat /etc/hosts", "/usr/bin/env x > /dev/null; cat /etc/hosts"),
        ("curl https://host/path", "curl https://host/path"),
        ("cp a/b ./c ../d ~/e $X/f", "cp a/b ./c ../d ~/e $X/f"),
        ("sed s/a/b/", "sed s/a/b/"),
    ],
)
def test_absolute_paths_of_a_command_are_the_images(command: str, translated: str) -> None:
    assert command_in(Path("IMAGE"), command) == translated


def test_a_variable_leads_into_the_image_when_something_is_there(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    values = {"A": "/weights", "B": "/api/v1", "C": "weights", "D": "/", "E": "/weights/../weights"}
    assert variables_in(tmp_path, values) == {**values, "A": str(tmp_path / "weights")}


@pytest.mark.parametrize(
    "line",
    [
        "RUN python -m pip install six",
        "RUN pip install six",
        "RUN /.uv/uv pip install --python $(command -v python) six",
        "RUN apt-get update",
        "COPY --from=somewhere/uv:latest /uv /.uv/uv",
    ],
)
def test_installers_of_packages_are_left_out(line: str) -> None:
    assert steps(_layer(line)) == [Skipped(line)]


def test_commands_and_copies_are_done_in_the_working_folder() -> None:
    layer = _layer("COPY . /", "RUN one", "WORKDIR sub", "RUN two", "COPY a.txt b/", "ENV A=b", "CMD []")
    below = HOME / "sub"
    assert steps(layer) == [Copy(".", "/"), Run("one", HOME), Run("two", below), Copy("a.txt", f"{below}/b/")]


def test_a_layer_without_a_base_is_the_python_of_the_stand_in() -> None:
    assert steps(_layer("RUN rm -rf /", base="")) == []


@pytest.mark.parametrize("line", ["USER somebody", "ADD https://host/file /file", "COPY a b c", 'SHELL ["bash"]'])
def test_other_lines_are_refused_by_name(line: str) -> None:
    with pytest.raises(GRPCError) as refused:
        steps(_layer(line))
    assert f"`{line}`" in str(refused.value.message)
