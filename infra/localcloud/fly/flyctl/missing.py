"""Flags that the real flyctl has and acts on, and this one does not: refused, never ignored.

What only changes how an image is built or how long something waits makes no difference here and is taken.
"""

from collections.abc import Mapping

MISSING: Mapping[tuple[str, ...], frozenset[str]] = {
    ("apps", "create"): frozenset(["--generate-name", "--network", "--save"]),
    ("deploy",): frozenset(
        [
            *("--build-only", "--exclude-machines", "--exclude-regions", "--file-literal", "--file-local"),
            *("--file-secret", "--flycast", "--host-dedication-id", "--no-public-ips", "--only-machines"),
            *("--primary-region", "--process-groups", "--regions", "--signal", "--update-only", "--vm-cpu-kind"),
            *("--vm-cpus", "--vm-memory", "--vm-size", "--volume-initial-size"),
        ]
    ),
    ("ips", "allocate-v6"): frozenset(["--network", "--org"]),
    ("logs",): frozenset(["--region", "--select"]),
    ("machine", "destroy"): frozenset(["--image", "--select"]),
    ("machine", "start"): frozenset(["--select"]),
    ("machine", "stop"): frozenset(["--select", "--signal", "--timeout", "--wait-timeout"]),
    ("scale", "count"): frozenset(
        [
            *("--env", "--from-snapshot", "--host-dedication-id", "--max-per-region", "--process-group", "--region"),
            *("--vm-cpu-kind", "--vm-cpus", "--vm-memory", "--vm-size", "--with-new-volumes"),
        ]
    ),
    ("scale", "vm"): frozenset(["--process-group"]),
    ("status",): frozenset(["--all", "--deployment", "--rate", "--watch"]),
}
