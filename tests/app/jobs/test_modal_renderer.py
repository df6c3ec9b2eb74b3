import asyncio
from typing import Any

import pytest

from app.jobs.modal_renderer import ModalRenderer
from app.jobs.renderer import CallLostError, RemoteFailureError, RendererUnavailableError
from gpu.contract import PROBE_FUNCTION, RENDER_FUNCTION, ProbeRequest, RenderRequest, RenderResponse
from gpu.plan.spec import EditSpec
from tests.app.jobs.media_command import PROBE, RESULT

REQUEST = RenderRequest(
    progress_key="exp_1-1",
    kind="extract",
    spec=EditSpec.of_clip(in_frame=0, out_frame=3),
    source_urls=("https://x/source",),
    output_url="https://x/output",
)


class ScriptedModal:
    """ModalClient whose polls give `polls` in turn: a response, None while it runs, or an exception."""

    def __init__(self, *polls: dict[str, Any] | Exception | None) -> None:
        self.polls = list(polls)
        self.spawned: list[tuple[str, dict[str, Any]]] = []
        self.progresses: list[dict[str, Any] | None] = []
        self.cancelled: list[str] = []
        self.forgotten: list[str] = []

    async def spawn(self, function: str, payload: dict[str, Any]) -> str:
        self.spawned.append((function, payload))
        return "fc-1"

    async def poll(self, call_id: str) -> dict[str, Any] | None:
        step = self.polls.pop(0) if self.polls else None
        if isinstance(step, Exception):
            raise step
        return step

    async def progress(self, key: str) -> dict[str, Any] | None:
        return self.progresses.pop(0) if self.progresses else None

    async def forget_progress(self, key: str) -> None:
        self.forgotten.append(key)

    async def cancel(self, call_id: str) -> None:
        self.cancelled.append(call_id)

    async def check(self, function: str) -> None:
        return


def renderer(client: ScriptedModal, **limits: float) -> ModalRenderer:
    return ModalRenderer(None, client, poll_s=0.001, **limits)  # type: ignore[arg-type]


def progress(done: int) -> dict[str, Any]:
    return {"phase": "rendering", "frames_done": done, "frames_total": 3}


async def waited(client: ScriptedModal, **limits: float) -> tuple[RenderResponse, list[int]]:
    frames: list[int] = []
    response = await renderer(client, **limits).wait("fc-1", "key", lambda p: frames.append(p.frames_done))
    return response, frames


async def test_requests_are_sent_as_plain_data() -> None:
    client = ScriptedModal({"info": PROBE})
    assert await renderer(client).start(REQUEST) == "fc-1"
    answer = await renderer(client).probe(ProbeRequest(source_url="https://x/source"))
    assert answer.info is not None
    assert [function for function, _ in client.spawned] == [RENDER_FUNCTION, PROBE_FUNCTION]
    assert RenderRequest.model_validate(client.spawned[0][1]) == REQUEST


async def test_progress_comes_while_it_runs_and_the_result_ends_it() -> None:
    client = ScriptedModal(None, None, {"result": RESULT})
    client.progresses = [progress(1), None, progress(3)]
    response, frames = await waited(client)
    assert response.result is not None
    assert frames == [1, 3]
    assert client.forgotten == ["key"]


async def test_a_provider_that_does_not_answer_is_no_end() -> None:
    client = ScriptedModal(RendererUnavailableError("503"), RendererUnavailableError("503"), {"result": RESULT})
    response, _ = await waited(client)
    assert response.result is not None
    assert client.cancelled == []


async def test_a_remote_failure_is_an_internal_error() -> None:
    response, _ = await waited(ScriptedModal(None, RemoteFailureError("FunctionTimeoutError")))
    assert response.error is not None
    assert response.error.code == "internal"


async def test_a_forgotten_call_is_lost() -> None:
    with pytest.raises(CallLostError):
        await waited(ScriptedModal(CallLostError("fc-1")))


async def test_strange_progress_is_left_out_and_a_strange_response_is_an_error() -> None:
    client = ScriptedModal(None, {"what": "is this"})
    client.progresses = [{"phase": "dreaming"}]
    response, frames = await waited(client)
    assert response.error is not None
    assert frames == []


async def test_a_call_that_never_ends_is_cancelled() -> None:
    client = ScriptedModal()
    response, _ = await waited(client, render_limit_s=0.05)
    assert response.error is not None
    assert client.cancelled == ["fc-1"]


async def test_waiting_does_not_block_the_loop_and_its_end_leaves_the_call_running() -> None:
    client = ScriptedModal()
    waiting = asyncio.create_task(waited(client))
    for _ in range(20):
        await asyncio.sleep(0.001)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert client.cancelled == []
