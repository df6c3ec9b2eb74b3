"""What routes ask for: who calls, whose library, and with what intent they write."""

import hashlib
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from app.http.user_context import Identity
from app.kit.errors import BadRequestError, UnauthenticatedError
from app.kit.owner import Owner
from app.library.context import current_report
from app.library.intent import Idempotency, Intent

_MAX_KEY_LENGTH = 255


async def _identity(connection: HTTPConnection) -> Identity:
    identity = getattr(connection.state, "identity", None)
    if not isinstance(identity, Identity):
        raise UnauthenticatedError("sign in first")
    return identity


CurrentIdentity = Annotated[Identity, Depends(_identity)]


async def _owner(identity: CurrentIdentity) -> Owner:
    return identity.owner


async def _intent(request: Request, identity: CurrentIdentity) -> Intent:
    report = current_report()
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise BadRequestError(f"Idempotency-Key must be 1-{_MAX_KEY_LENGTH} printable ASCII characters")
    return Intent(
        session=identity.session_id,
        seen_version=report.seen_version if report else None,
        idempotency=Idempotency(key, await _fingerprint(request)) if key is not None else None,
    )


async def _fingerprint(request: Request) -> str:
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return digest.hexdigest()


CurrentOwner = Annotated[Owner, Depends(_owner)]
WriteIntent = Annotated[Intent, Depends(_intent)]
