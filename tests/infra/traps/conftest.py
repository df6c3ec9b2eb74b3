"""The recorded answers of flyctl, and the scripted one on PATH."""

from tests.infra.deploy.conftest import facts, flyctl

__all__ = ["facts", "flyctl"]
