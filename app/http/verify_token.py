"""The one bearer token that the backend knows: it lets a deployment be tried out as a user that is nobody's."""

import hashlib
import hmac
from collections.abc import Sequence

from app.kit.errors import UnauthenticatedError
from app.kit.owner import Owner, parse_owner
from app.settings import Settings

VERIFY_PROFILE = "default"
_SCHEME = "bearer"


class VerifyToken:
    """Whoever shows VERIFY_TOKEN is user `dev-<APP_ENV>`, and cannot be anybody else."""

    def __init__(self, settings: Settings) -> None:
        token = settings.verify_token
        self._digest = _digest(token.get_secret_value()) if token else None
        self._owner = parse_owner(f"dev-{settings.app_env}", VERIFY_PROFILE)

    def owner(self, authorizations: Sequence[str]) -> Owner | None:
        """Whose these Authorization headers are: None without any; raises UnauthenticatedError for a wrong one."""
        if not authorizations:
            return None
        scheme, _, shown = authorizations[0].partition(" ")
        # Digests have one length, so that the time of the comparison tells nothing about the token.
        right = self._digest is not None and hmac.compare_digest(_digest(shown.strip()), self._digest)
        if len(authorizations) != 1 or scheme.lower() != _SCHEME or not right:
            raise UnauthenticatedError("this token is not known here; leave the Authorization header out or correct it")
        return self._owner


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()
