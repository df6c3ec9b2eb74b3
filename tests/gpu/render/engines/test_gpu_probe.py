"""What the probe makes of each answer of a machine; the answers are made up, as no test needs a GPU."""

import subprocess
import sys
from typing import NoReturn

import av
import pytest

from gpu.render.engines.gpu_probe import Gpu, Steps, probe_gpu, this_gpu
from gpu.render.engines.unable import EngineUnable


def works() -> None:
    pass


def refused() -> NoReturn:
    raise av.ExternalError(542398533, "Generic error in an external library")


def no_encoder() -> NoReturn:
    raise RuntimeError("no NVENC capable devices found\nand a second line")


ALL_WELL = Steps(works, lambda: "Tesla T4", works, works)


def test_a_card_that_does_both_encodes_too() -> None:
    assert probe_gpu(ALL_WELL) == Gpu("Tesla T4", "h264_nvenc", "encoded by NVENC")


def test_a_card_without_nvenc_leaves_encoding_to_x264_and_says_why() -> None:
    gpu = probe_gpu(ALL_WELL._replace(encode=no_encoder))
    assert gpu.encoder == "libx264"
    assert gpu.encoder_reason == (
        "encoded by x264, because NVENC does not encode a test picture (no NVENC capable devices found)"
    )


def test_a_card_that_does_not_decode_is_of_no_use() -> None:
    with pytest.raises(EngineUnable, match=r"Tesla T4 does not decode a test picture \(Generic error"):
        probe_gpu(ALL_WELL._replace(decode=refused))


def test_nothing_is_tried_after_the_first_thing_that_is_missing() -> None:
    def no_driver() -> NoReturn:
        raise EngineUnable("there is no NVIDIA driver here")

    def asked() -> NoReturn:
        raise AssertionError("it was asked all the same")

    with pytest.raises(EngineUnable, match="no NVIDIA driver"):
        probe_gpu(Steps(no_driver, asked, asked, asked))


def test_a_machine_without_a_gpu_says_so_without_importing_torch() -> None:
    try:
        gpu = this_gpu()
    except EngineUnable:
        pass
    else:
        pytest.skip(f"this machine has a {gpu.name}")
    code = (
        "import sys\n"
        "from gpu.render.engines.gpu_probe import this_gpu\n"
        "from gpu.render.engines.unable import EngineUnable\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        this_gpu()\n"
        "    except EngineUnable as reason:\n"
        "        print(reason, 'torch' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(told) == 2
    assert told[0] == told[1]
    assert told[0].endswith("False")
