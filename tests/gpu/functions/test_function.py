"""What all functions have in common: the table of them, and how a wrong request is told."""

import subprocess
import sys

import pytest

from gpu import contract
from gpu.contract import ProbeRequest, RenderRequest
from gpu.functions.function import parse
from gpu.functions.table import FUNCTIONS
from gpu.plan.spec import EditSpec, Value
from gpu.render.__main__ import FUNCTIONS as FUNCTIONS_OF_THE_COMMAND
from gpu.render.errors import MediaFailure
from tests.gpu.render.storage import SIGNATURE


def test_every_function_of_the_contract_is_there() -> None:
    names = {value for name, value in vars(contract).items() if name.endswith("_FUNCTION")}
    assert set(FUNCTIONS) == names == set(FUNCTIONS_OF_THE_COMMAND)


NETWORKS = ("torch", "gpu.track.", "gpu.weights.lock", "gpu.upscale.")


def test_the_table_loads_no_code_of_networks() -> None:
    """A render starts without it."""
    code = f"import sys, gpu.functions.table; print([name for name in sys.modules if name.startswith({NETWORKS})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['gpu.upscale.used']"


def test_a_request_that_is_none_is_refused_without_its_values() -> None:
    with pytest.raises(MediaFailure) as refused:
        parse(RenderRequest, {"source_urls": 7, "token": f"http://host/?{SIGNATURE}"})
    assert refused.value.code == "bad_spec"
    assert "source_urls" in refused.value.message
    assert SIGNATURE not in refused.value.message


def refusal(kind: type[Value], given: object) -> str:
    with pytest.raises(MediaFailure) as refused:
        parse(kind, given)
    assert refused.value.code == "bad_spec"
    return refused.value.message


def test_a_long_list_of_mistakes_is_cut_and_counted() -> None:
    """An answer is one line for the app, which reads no endless ones."""
    clip = {"in_frame": 0, "out_frame": 9, "crop_keyframes": [{}] * 3000}
    message = refusal(EditSpec, {"clips": [clip]})
    assert len(message) < 3500
    assert message.startswith("clips.0.crop_keyframes.0.frame: Field required; ")
    assert message.endswith("; and 14990 more")


def test_a_mistake_that_quotes_a_long_list_is_cut() -> None:
    keys = [{"frame": frame, "x": 0, "y": 0, "width": 1, "height": 1} for frame in range(3000, 0, -1)]
    assert len(refusal(EditSpec, {"clips": [{"in_frame": 0, "out_frame": 9, "crop_keyframes": keys}]})) < 400


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([{"in_frame": 0}], "clips.0.out_frame: Field required"),
        ([{"in_frame": 9, "out_frame": 9}], "clips.0: out_frame 9 is not after in_frame 9"),
        ([], "clips: Tuple should have at least 1 item after validation, not 0"),
    ],
)
def test_a_mistake_is_told_once_and_as_it_is(clips: list[object], message: str) -> None:
    assert refusal(EditSpec, {"clips": clips}) == message


def test_bytes_that_are_not_utf_8_are_no_request() -> None:
    assert "Invalid JSON" in refusal(ProbeRequest, b'{"source_url": "\xff"}')
