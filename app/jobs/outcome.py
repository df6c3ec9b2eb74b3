"""From what a renderer brought back to the contract's response; what does not fit becomes an error in it."""

import logging
from typing import Any

from pydantic import ValidationError

from gpu.contract import MediaError, ProbeResponse, RenderResponse

_LOGGER = logging.getLogger(__name__)
Outcome = dict[str, Any] | MediaError


def probe_response(outcome: Outcome) -> ProbeResponse:
    if isinstance(outcome, MediaError):
        return ProbeResponse(error=outcome)
    try:
        response = ProbeResponse.model_validate(outcome)
    except ValidationError as error:
        return ProbeResponse(error=_misfit(error))
    return response if (response.info is None) != (response.error is None) else ProbeResponse(error=_misfit(None))


def render_response(outcome: Outcome) -> RenderResponse:
    if isinstance(outcome, MediaError):
        return RenderResponse(error=outcome)
    try:
        response = RenderResponse.model_validate(outcome)
    except ValidationError as error:
        return RenderResponse(error=_misfit(error))
    return response if (response.result is None) != (response.error is None) else RenderResponse(error=_misfit(None))


def _misfit(error: ValidationError | None) -> MediaError:
    _LOGGER.error("the media function's response does not fit the contract", exc_info=error)
    return MediaError(code="internal", message="the media function gave an answer that does not fit its contract")
