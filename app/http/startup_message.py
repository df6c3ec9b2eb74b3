"""Says in one line why the process does not serve; without it the reason is at the end of a long traceback."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class StartupMessage:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def short_send(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                reason = message.get("message", "").strip().rpartition("\n")[2]
                message = {**message, "message": f"the API does not serve: {reason}"}
            await send(message)

        await self._app(scope, receive, short_send)
