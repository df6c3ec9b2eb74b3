"""`flyctl ips list|allocate-v4|allocate-v6`: addresses that look like Fly's; nothing listens there."""

from typing import Any

from infra.localcloud.fly.flyctl.errors import CommandError
from infra.localcloud.fly.flyctl.queries import ALLOCATE_ADDRESS, APP_ADDRESSES
from infra.localcloud.fly.flyctl.run import Run
from infra.localcloud.fly.flyctl.when import GO_ZERO, ago

_DOCS = (
    "Learn more about Fly.io public, private, shared and dedicated IP addresses in our docs: "
    "https://fly.io/docs/networking/services/"
)
_KINDS = {
    "v6": ("v6", "public ingress (dedicated)"),
    "private_v6": ("v6", "private ingress"),
    "v4": ("v4", "public ingress (dedicated, $2/mo)"),
    "shared_v4": ("v4", "public ingress (shared)"),
}


def list_all(run: Run) -> None:
    with run.graphql(APP_ADDRESSES):
        addresses = run.call("GET", "/addresses")
    if run.flags.on("--json"):
        run.show([_document(address) for address in addresses])
        return
    shared_last = sorted(addresses, key=lambda address: address["type"] == "shared_v4")
    run.table(["VERSION", "IP", "TYPE", "REGION", "CREATED AT"], [_row(address) for address in shared_last])
    run.say(_DOCS)


def allocate_v4(run: Run) -> None:
    """A dedicated one costs money, so it is asked for."""
    _ = run.app
    if run.flags.on("--shared"):
        address = _allocate(run, "shared_v4")
        run.table(["VERSION", "IP", "TYPE", "REGION"], [["v4", address["address"], "shared", "global"]])
        return
    if not run.flags.on("--yes"):
        raise CommandError("yes flag must be specified when not running interactively")
    _tell(run, _allocate(run, "v4"))


def allocate_v6(run: Run) -> None:
    _tell(run, _allocate(run, "private_v6" if run.flags.on("--private") else "v6"))


def _allocate(run: Run, kind: str) -> dict[str, Any]:
    with run.graphql(ALLOCATE_ADDRESS):
        body = {"type": kind, "region": run.flags.text("--region") or "global"}
        address: dict[str, Any] = run.call("POST", "/addresses", body)
        return address


def _tell(run: Run, address: dict[str, Any]) -> None:
    run.table(["VERSION", "IP", "TYPE", "REGION", "CREATED AT"], [_row(address)])


def _row(address: dict[str, Any]) -> list[str]:
    version, kind = _KINDS[address["type"]]
    shared = address["type"] == "shared_v4"
    region, made = ("", GO_ZERO) if shared else (address["region"], ago(address["created_at"]))
    return [version, address["address"], kind, region, made]


def _document(address: dict[str, Any]) -> dict[str, Any]:
    return {
        "ID": address["id"],
        "Address": address["address"],
        "Type": address["type"],
        "Region": address["region"],
        "CreatedAt": address["created_at"],
        "ServiceName": "",
        "Network": None,
    }
