"""An app as `flyctl apps create|list --json` shows it: all fields of its Go struct, most of them empty."""

from typing import Any

GO_ZERO_TIME = "0001-01-01T00:00:00Z"


def app_document(app: dict[str, Any], *, created: bool) -> dict[str, Any]:
    """`created` is the answer of the call that created it, which fills other fields than the list does."""
    return {
        "ID": app["name"],
        "InternalNumericID": app["number"] if created else 0,
        "Name": app["name"],
        "State": "",
        "Status": app["status"],
        "Deployed": app["deployed"],
        "Hostname": app["hostname"],
        "AppURL": f"https://{app['hostname']}" if created else "",
        "Version": 0,
        "NetworkID": 0,
        "Network": "",
        "Release": None,
        "Organization": _organization(app["organization"], created=created),
        "Secrets": None,
        "CurrentRelease": None if created else _current_release(app),
        "Releases": {"Nodes": None},
        "IPAddresses": {"Nodes": [] if created else None},
        "EgressIpAddresses": {"Nodes": None},
        "SharedIPAddress": "",
        "CNAMETarget": app["hostname"] if created else "",
        "IPAddress": None,
        "Certificates": {"Nodes": None},
        "Certificate": _no_certificate(),
        "PostgresAppRole": None,
        "Image": None,
        "ImageUpgradeAvailable": False,
        "ImageVersionTrackingEnabled": False,
        "ImageDetails": _no_image(),
        "LatestImageDetails": _no_image(),
        "PlatformVersion": "machines",
        "Machines": {"Nodes": [] if created else None},
        "CurrentLock": None,
    }


def _organization(slug: str, *, created: bool) -> dict[str, Any]:
    none = {"Nodes": None, "Edges": None}
    return {
        "ID": "org1" if created else "",
        "InternalNumericID": "",
        "Name": "" if created else "Local User",
        "RemoteBuilderImage": "",
        "RemoteBuilderApp": None,
        "Slug": slug,
        "RawSlug": "",
        "Type": "",
        "PaidPlan": created,
        "Billable": False,
        "Settings": None,
        "AllowedReplaySourceOrgSlugs": None,
        "AllowAllCrossNetworkReplays": False,
        "WireGuardPeer": None,
        "WireGuardPeers": none,
        "DelegatedWireGuardTokens": none,
        "LoggedCertificates": None,
    }


def _current_release(app: dict[str, Any]) -> dict[str, Any] | None:
    latest = app["latest_release"]
    return None if latest is None else {"Status": latest["status"], "CreatedAt": latest["created_at"]}


def _no_certificate() -> dict[str, Any]:
    texts = ("DNSProvider", "DNSValidationInstructions", "DNSValidationHostname", "DNSValidationTarget", "Hostname")
    return {
        "ID": "",
        **dict.fromkeys(("AcmeDNSConfigured", "AcmeALPNConfigured", "Configured"), False),
        "CertificateAuthority": "",
        "CreatedAt": GO_ZERO_TIME,
        **dict.fromkeys((*texts, "Source", "ClientStatus"), ""),
        **dict.fromkeys(("IsApex", "IsWildcard"), False),
        "ValidationErrors": None,
        "Issued": {"Nodes": None},
    }


def _no_image() -> dict[str, str]:
    return dict.fromkeys(("Registry", "Repository", "Tag", "Version", "Digest"), "")
