"""How many containers a function may have on this machine, and the limits that it does not set itself."""

import pytest
from modal_proto import api_pb2

from infra.localcloud.modal.functions import Definition


def _definition(function: api_pb2.Function) -> Definition:
    return Definition("de-1", "fu-1", "ap-1", function, api_pb2.FunctionData())


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        (api_pb2.AutoscalerSettings(), 4),
        (api_pb2.AutoscalerSettings(max_containers=1), 1),
        (api_pb2.AutoscalerSettings(max_containers=20), 4),
        (api_pb2.AutoscalerSettings(min_containers=6, max_containers=20), 6),
    ],
)
def test_the_machine_bounds_what_a_function_may_have(settings: api_pb2.AutoscalerSettings, most: int) -> None:
    assert _definition(api_pb2.Function(autoscaler_settings=settings)).max_containers == most


def test_unset_limits_are_those_of_modal() -> None:
    plain = _definition(api_pb2.Function())
    assert (plain.timeout_s, plain.startup_timeout_s, plain.scaledown_s, plain.capacity) == (300, 300, 60, 1)
