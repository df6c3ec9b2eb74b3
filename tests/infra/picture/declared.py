"""Resources made up for tests."""

from typing import Any

from infra.rehearsal.resource import Resource
from infra.rehearsal.urns import make

STEP = ".venv/bin/python -m infra.deploy "


def urn(name: str, kind: str = "cloudflare:index/thing:Thing") -> str:
    return make("test", "reel", "", kind, name)


def component(name: str, needs: tuple[str, ...] = ()) -> Resource:
    kind = "reel:storage:Storage"
    return Resource(urn(name, kind), kind, name, custom=False, dependencies=[urn(each) for each in needs])


def resource(
    name: str, kind: str = "cloudflare:index/thing:Thing", needs: tuple[str, ...] = (), **fields: Any
) -> Resource:
    """In the component `storage`; `needs` are names of other such resources."""
    parent = urn("storage", "reel:storage:Storage")
    return Resource(
        urn(name), kind, name, custom=True, parent=parent, dependencies=[urn(each) for each in needs], **fields
    )


def command(name: str, step: str, **inputs: Any) -> Resource:
    return resource(name, "command:local:Command", inputs={"create": STEP + step, **inputs})
