"""Certificates of custom hostnames, in the shape that flyctl shows.

There is no DNS here: one is issued some time after it was added, whatever the hostname resolves to.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.localcloud.fly.model import App, Certificate
from infra.localcloud.fly.views import time_text

LIFETIME = timedelta(days=90)


class CertificateAuthority:
    """Issues a certificate `delay_s` after it was added."""

    def __init__(self, delay_s: float) -> None:
        self._delay = timedelta(seconds=delay_s)

    def is_issued(self, certificate: Certificate) -> bool:
        return datetime.now(UTC) - certificate.created_at >= self._delay

    def summary(self, certificate: Certificate) -> dict[str, Any]:
        issued = self.is_issued(certificate)
        return {
            "hostname": certificate.hostname,
            "status": "active" if issued else "pending",
            "dns_provider": "local",
            "acme_dns_configured": issued,
            "acme_alpn_configured": issued,
            "acme_http_configured": issued,
            "ownership_txt_configured": False,
            "configured": issued,
            "acme_requested": True,
            "has_custom_certificate": False,
            "has_fly_certificate": issued,
            "created_at": time_text(certificate.created_at),
            "updated_at": time_text(certificate.created_at),
        }

    def detail(self, app: App, certificate: Certificate) -> dict[str, Any]:
        issued, host = self.is_issued(certificate), certificate.hostname
        addresses: dict[str, list[str]] = {
            "a": [address.address for address in app.addresses if address.type == "shared_v4"],
            "aaaa": [address.address for address in app.addresses if address.type == "v6"],
        }
        mark = hashlib.sha256(app.name.encode()).hexdigest()[:8]
        found = addresses if issued else {"a": [], "aaaa": []}
        detail: dict[str, Any] = {
            "hostname": host,
            "configured": issued,
            "acme_requested": True,
            "status": "active" if issued else "pending",
            "dns_provider": "local",
            "certificates": [self._certificate(certificate)],
            "validation": {
                "dns_configured": issued,
                "alpn_configured": issued,
                "http_configured": issued,
                "ownership_txt_configured": False,
            },
            "dns_requirements": {
                **addresses,
                "cname": f"{mark}.{app.hostname}",
                "acme_challenge": {"name": f"_acme-challenge.{host}", "target": f"{host}.{mark[:6]}.flydns.net"},
                "ownership": {"name": f"_fly-ownership.{host}", "app_value": f"app-{mark}", "org_value": "org-101"},
            },
            "dns_records": {
                **found,
                "cname": [],
                "resolved_addresses": [*found["a"], *found["aaaa"]],
                "soa": None,
                "acme_challenge_cname": None,
                "ownership_txt": None,
            },
        }
        return detail if issued else {**detail, "validation_errors": [_not_found(certificate)]}

    def _certificate(self, certificate: Certificate) -> dict[str, Any]:
        issued = self.is_issued(certificate)
        base = {
            "source": "fly",
            "status": "active" if issued else "pending",
            "created_at": time_text(certificate.created_at),
        }
        if not issued:
            return {**base, "issued": []}
        expires = time_text(certificate.created_at + LIFETIME)
        kinds = [
            {"type": kind, "expires_at": expires, "certificate_authority": "lets_encrypt"} for kind in ("rsa", "ecdsa")
        ]
        return {**base, "expires_at": expires, "issued": kinds}


def _not_found(certificate: Certificate) -> dict[str, Any]:
    return {
        "code": None,
        "message": f"No A, AAAA or CNAME records found for {certificate.hostname}",
        "remediation": "Add the DNS records shown by fly certs setup",
        "timestamp": time_text(certificate.created_at),
    }
