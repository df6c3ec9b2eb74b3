"""`/ws/export/{export_id}`: live progress of one export to its owner."""

from typing import Annotated

from fastapi import APIRouter, Depends, WebSocket

from app.exports.errors import ExportNotFoundError
from app.exports.schemas import ExportMessage, message_for
from app.exports.service import ExportsService
from app.http.container import provide
from app.http.user_context import UNAUTHENTICATED_CLOSE, Identity
from app.kit.errors import AppError
from app.progress.socket import stream

router = APIRouter()
NOT_FOUND_CLOSE = 4404
TRY_LATER_CLOSE = 1013


@router.websocket("/ws/export/{export_id}")
async def export_progress(
    websocket: WebSocket, export_id: str, service: Annotated[ExportsService, Depends(provide(ExportsService))]
) -> None:
    """Snapshot, progress, and 1000 after the final message; 4401, 4404, or 1013 when the library is out of reach."""
    await websocket.accept()
    identity = getattr(websocket.state, "identity", None)
    if not isinstance(identity, Identity):
        await websocket.close(UNAUTHENTICATED_CLOSE, "sign in first")
        return
    owner = identity.owner
    # Listening starts before the row is read, so that nothing falls in between.
    with service.live.hub.subscribe((owner, export_id)) as subscription:
        try:
            job = await service.one(owner, export_id)
        except ExportNotFoundError as error:
            await websocket.close(NOT_FOUND_CLOSE, error.detail[:120])
            return
        except AppError as error:
            await websocket.close(TRY_LATER_CLOSE, error.detail[:120])
            return

        async def look() -> ExportMessage | None:
            try:
                return await service.look(owner, export_id)
            except AppError:
                return None

        # The row has no progress: without a look, a listener that another process served before would go back to 0.
        now = await look() or message_for(job)
        first = [ExportMessage(type="snapshot", export=now.export), *([now] if now.is_final else [])]

        await stream(websocket, subscription, first, look)
