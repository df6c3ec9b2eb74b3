"""Ports stand in the stack file and are loopback addresses."""

import pytest

from infra.config import ConfigError
from infra.localcloud.ports import Ports
from infra.localcloud.stackfile import credentials, local_config


def test_ports_are_those_of_the_stack_file() -> None:
    config = local_config()
    ports = Ports.of(config)
    assert config.api_url == f"http://127.0.0.1:{ports.api}"
    assert ports.modal_http == ports.modal_grpc + 1
    assert len(set(vars(ports).values())) == len(vars(ports))


@pytest.mark.parametrize("address", [None, "https://api.fly.io", "http://127.0.0.1", "http://10.0.0.1:9404"])
def test_an_address_that_is_not_loopback_is_refused(address: str | None) -> None:
    config = local_config().model_copy(update={"fly_url": address})
    with pytest.raises(ConfigError, match="reel:flyUrl"):
        Ports.of(config)


def test_credentials_are_those_of_the_stand_ins() -> None:
    assert credentials().keys() >= {"CLOUDFLARE_API_TOKEN", "FLY_ACCESS_TOKEN", "MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"}
    assert all("local" in value for value in credentials().values())
