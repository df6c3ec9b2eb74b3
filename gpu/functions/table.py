"""The functions by the names that the contract gives them."""

from typing import Any

from gpu.contract import DERIVE_FUNCTION, PROBE_FUNCTION, RENDER_FUNCTION, TRACK_FUNCTION, UPSCALE_FUNCTION
from gpu.functions.derive import DERIVE
from gpu.functions.function import Function
from gpu.functions.probe import PROBE
from gpu.functions.render import RENDER
from gpu.functions.track import TRACK
from gpu.functions.upscale import UPSCALE

FUNCTIONS: dict[str, Function[Any, Any]] = {
    PROBE_FUNCTION: PROBE,
    RENDER_FUNCTION: RENDER,
    DERIVE_FUNCTION: DERIVE,
    TRACK_FUNCTION: TRACK,
    UPSCALE_FUNCTION: UPSCALE,
}
