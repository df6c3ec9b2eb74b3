"""Fly.io on loopback: apps, releases, machines that are real processes, the proxy, and a `flyctl` to drive them.

`Fly` is imported on first use, because the command `infra.localcloud.fly.flyctl` shares this package and starts fast.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.localcloud.fly.server import Fly

__all__ = ["Fly"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- a module attribute has any type
    if name != "Fly":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from infra.localcloud.fly.server import Fly

    return Fly
