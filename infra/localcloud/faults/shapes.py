"""How each HTTP service says 429, 5xx and "this token is not valid": what its real clients parse.

Sources: R2's error reference (developers.cloudflare.com/r2/api/error-codes); Cloudflare's API 429 is code 971 with
Retry-After (workers-sdk issue 10025), its Pages 5xx code 8000000 (workers-sdk issue 9769). The other codes are those
of the stand-ins.
"""

import json
from dataclasses import dataclass

from infra.localcloud.faults.plan import Fault, Service

TOO_MANY = 429


@dataclass(frozen=True)
class Refusal:
    status: int
    content_type: str
    body: bytes


def refusal(service: Service, path: str, fault: Fault) -> Refusal:
    """The answer of an HTTP service in place of the one that was asked for."""
    if service == "r2":
        return _r2(fault)
    if service in ("cloudflare", "pages"):
        return _cloudflare(service, path, fault)
    return _fly(fault)


def _r2(fault: Fault) -> Refusal:
    if fault.fault == "too_many":
        status, code = TOO_MANY, "TooManyRequests"
        message = "Reduce your concurrent request rate for the same object."
    elif fault.fault == "expired_token":
        status, code, message = 401, "Unauthorized", "Unauthorized"
    elif fault.status == 503:
        status, code, message = 503, "ServiceUnavailable", "Please reduce your request rate."
    else:
        status, code = fault.status, "InternalError"
        message = "We encountered an internal error. Please try again."
    text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Refusal(status, "application/xml", b'<?xml version="1.0" encoding="UTF-8"?>' + text.encode())


def _cloudflare(service: Service, path: str, fault: Fault) -> Refusal:
    if fault.fault == "too_many":
        status, code, message = TOO_MANY, 971, "Please wait and consider throttling your request speed"
    elif fault.fault == "expired_token" and service == "pages":
        status, code, message = 401, 8000013, "Authorization failed"
    elif fault.fault == "expired_token":
        status, code, message = 401, 10000, "Authentication error"
    elif "/pages/" in path:
        status, code, message = fault.status, 8000000, "An unknown error occurred. Contact Cloudflare support."
    else:
        status, code, message = fault.status, 10001, "We encountered an internal error. Please try again."
    error = {"code": code, "message": message}
    return _json(status, {"result": None, "success": False, "errors": [error], "messages": []})


def _fly(fault: Fault) -> Refusal:
    if fault.fault == "too_many":
        return _json(TOO_MANY, {"code": "rate_limited", "message": "rate limit exceeded"})
    if fault.fault == "expired_token":
        return _json(401, {"code": "unauthorized", "message": "unauthorized"})
    return _json(fault.status, {"code": "internal", "message": "internal server error"})


def _json(status: int, document: object) -> Refusal:
    return Refusal(status, "application/json", json.dumps(document).encode())
