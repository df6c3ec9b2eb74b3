"""A deployer of the sample, in the sample's folder."""

import pytest

from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import Flyctl
from tests.infra.localcloud.fly.flyctl.deployer import Deployer


@pytest.fixture
def deploy(fly: Fly, flyctl: Flyctl, app: str, monkeypatch: pytest.MonkeyPatch) -> Deployer:
    monkeypatch.chdir(flyctl.folder)
    return Deployer(fly, flyctl)
