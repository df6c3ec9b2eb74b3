"""Who may call: clients by token id and secret, containers by the token that the stand-in put into their environment.

Clients send `x-modal-token-id` and `x-modal-token-secret` (modal.client, `_get_metadata`). In the cloud a container is
known by its socket; here it sends `CONTAINER_HEADER`, set through the client's `MODAL_OVERRIDE_HEADERS`.
"""

import hmac
import secrets
from collections.abc import Mapping

from grpclib import GRPCError, Status

CONTAINER_HEADER = "x-localcloud-container"


class Gate:
    """`tokens` maps token id to secret; None accepts every client."""

    def __init__(self, tokens: Mapping[str, str] | None) -> None:
        self._tokens = tokens
        self._containers: dict[str, str] = {}

    def issue(self, container_id: str) -> str:
        """A token that stands for this container until `revoke`."""
        token = secrets.token_urlsafe(32)
        self._containers[token] = container_id
        return token

    def revoke(self, token: str) -> None:
        self._containers.pop(token, None)

    def identify(self, metadata: Mapping[str, str]) -> str | None:
        """The container's id, or None for a client; raises UNAUTHENTICATED."""
        token = metadata.get(CONTAINER_HEADER)
        if token is not None:
            container_id = self._containers.get(token)
            if container_id is None:
                raise GRPCError(Status.UNAUTHENTICATED, "this container is not one of the running containers")
            return container_id
        if self._tokens is not None and not self._is_known(self._tokens, metadata):
            raise GRPCError(
                Status.UNAUTHENTICATED,
                "Token ID or token secret is not valid here; set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET to a pair of"
                " the local cloud",
            )
        return None

    @staticmethod
    def _is_known(tokens: Mapping[str, str], metadata: Mapping[str, str]) -> bool:
        expected = tokens.get(metadata.get("x-modal-token-id", ""))
        given = metadata.get("x-modal-token-secret", "")
        return expected is not None and hmac.compare_digest(expected.encode(), given.encode())
