"""`flyctl ips list`: addresses that look like Fly's; nothing listens there."""

from infra.localcloud.fly.flyctl.queries import APP_ADDRESSES
from infra.localcloud.fly.flyctl.run import Run


def list_all(run: Run) -> None:
    with run.graphql(APP_ADDRESSES):
        addresses = run.call("GET", "/addresses")
    if run.flags.on("--json"):
        shown = [
            {
                "ID": address["id"],
                "Address": address["address"],
                "Type": address["type"],
                "Region": address["region"],
                "CreatedAt": address["created_at"],
                "ServiceName": "",
                "Network": None,
            }
            for address in addresses
        ]
        run.show(shown)
        return
    names = {"v6": ("v6", "public ingress (dedicated)"), "shared_v4": ("v4", "public ingress (shared)")}
    rows = [
        [names[address["type"]][0], address["address"], names[address["type"]][1], address["region"]]
        for address in addresses
    ]
    run.table(["VERSION", "IP", "TYPE", "REGION"], rows)
