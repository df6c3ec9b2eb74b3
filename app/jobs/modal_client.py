"""The Modal SDK as this backend uses it; slow to import, so only `modal_renderer` does, in a thread.

Credentials and server come from MODAL_TOKEN_ID, MODAL_TOKEN_SECRET and MODAL_SERVER_URL, which the SDK reads itself.
"""

import logging
from typing import Any

import modal
from modal import exception as modal_errors

from app.jobs.renderer import CallLostError, RemoteFailureError, RendererUnavailableError
from gpu.contract import APP_NAME, PROGRESS_DICT

_LOGGER = logging.getLogger(__name__)
_REMOTE_FAILURES = (
    modal_errors.FunctionTimeoutError,
    modal_errors.InternalFailure,
    modal_errors.RemoteError,
    modal_errors.ExecutionError,
    modal_errors.DeserializationError,
)
_NO_ANSWER = (modal_errors.Error, OSError)


class ModalClient:
    """Functions of the deployed app in one Modal environment (None: the token's default)."""

    def __init__(self, environment: str | None, client: modal.Client | None = None) -> None:
        """`client` None: the one that the environment's variables describe."""
        self._environment = environment
        self._client = client

    async def spawn(self, function: str, payload: dict[str, Any]) -> str:
        """The call id; raises RendererUnavailableError."""
        try:
            call = await self._function(function).spawn.aio(payload)
        except _NO_ANSWER as error:
            raise _unavailable(f"start {function}", error) from error
        return str(call.object_id)

    async def poll(self, call_id: str) -> dict[str, Any] | None:
        """The response, or None while it runs.

        Raises CallLostError, RemoteFailureError, or RendererUnavailableError, which says nothing about the call.
        """
        try:
            response = await self._call(call_id).get.aio(timeout=0)
        except TimeoutError:
            return None
        except (modal_errors.OutputExpiredError, modal_errors.NotFoundError) as error:
            raise CallLostError(call_id) from error
        except _REMOTE_FAILURES as error:
            raise RemoteFailureError(type(error).__name__) from error
        except _NO_ANSWER as error:
            raise _unavailable(f"ask for {call_id}", error) from error
        except Exception as error:
            # Whatever else comes out is the function's own exception, sent over and raised again here.
            raise RemoteFailureError(type(error).__name__) from error
        if not isinstance(response, dict):
            raise RemoteFailureError(f"a {type(response).__name__} instead of a dict")
        return response

    async def progress(self, key: str) -> dict[str, Any] | None:
        try:
            latest = await self._progress.get.aio(key)
        except _NO_ANSWER as error:
            raise _unavailable("read progress", error) from error
        return latest if isinstance(latest, dict) else None

    async def forget_progress(self, key: str) -> None:
        """Best effort: Modal drops entries that are not used."""
        try:
            await self._progress.pop.aio(key, None)
        except _NO_ANSWER as error:
            _LOGGER.info("progress %s stays in the dict: %s", key, type(error).__name__)

    async def cancel(self, call_id: str) -> None:
        try:
            await self._call(call_id).cancel.aio()
        except modal_errors.NotFoundError:
            return
        except _NO_ANSWER as error:
            raise _unavailable(f"cancel {call_id}", error) from error

    async def check(self, function: str) -> None:
        try:
            await self._function(function).hydrate.aio()
        except _NO_ANSWER as error:
            raise _unavailable(f"find {function} of app {APP_NAME}", error) from error

    def _function(self, name: str) -> "modal.Function[..., Any, Any]":
        return modal.Function.from_name(APP_NAME, name, environment_name=self._environment, client=self._client)

    def _call(self, call_id: str) -> "modal.FunctionCall[Any]":
        return modal.FunctionCall.from_id(call_id, client=self._client)

    @property
    def _progress(self) -> modal.Dict:
        return modal.Dict.from_name(
            PROGRESS_DICT, environment_name=self._environment, create_if_missing=True, client=self._client
        )


def _unavailable(what: str, error: Exception) -> RendererUnavailableError:
    return RendererUnavailableError(f"Modal did not {what} ({type(error).__name__}); try again in a moment")
