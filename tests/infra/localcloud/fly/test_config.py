"""fly.toml to what the stand-in acts on."""

import tomllib

import pytest

from infra.localcloud.fly.config import Config
from infra.localcloud.fly.errors import InvalidError
from tests.infra.localcloud.fly.conftest import SAMPLE


def read(text: str) -> Config:
    return Config.read(tomllib.loads(text))


def test_reads_the_sections_that_the_stand_in_acts_on() -> None:
    config = read((SAMPLE / "fly.toml").read_text())
    assert config.service is not None
    assert (config.kill_signal, config.kill_timeout_s, config.strategy) == ("SIGTERM", 60.0, "rolling")
    assert (config.service.auto_stop, config.service.auto_start) == ("stop", True)
    assert (config.service.concurrency.soft_limit, config.service.concurrency.hard_limit) == (2, 3)
    assert [(check.path, check.interval_s, check.grace_period_s) for check in config.service.checks] == [
        ("/health", 15.0, 60.0)
    ]
    assert (config.guest.size, config.guest.memory_mb) == ("shared-cpu-1x", 512)


def test_an_empty_file_has_flys_defaults() -> None:
    config = read("")
    assert (config.kill_signal, config.kill_timeout_s, config.service) == ("SIGINT", 5.0, None)


def test_environment_values_become_text() -> None:
    assert read("[env]\nPORTS = 3\nDEBUG = false").env == {"PORTS": "3", "DEBUG": "false"}


def test_the_old_boolean_of_auto_stop_still_means_stop() -> None:
    service = read("[http_service]\nauto_stop_machines = true").service
    assert service is not None
    assert service.auto_stop == "stop"


@pytest.mark.parametrize(
    ("text", "size", "memory_mb"),
    [
        ('[[vm]]\nsize = "performance-2x"', "performance-2x", 4096),
        ('[[vm]]\nmemory = "1gb"', "shared-cpu-1x", 1024),
        ('[[vm]]\ncpu_kind = "shared"\ncpus = 2\nmemory_mb = 1024', "shared-cpu-2x", 1024),
    ],
)
def test_reads_machine_sizes(text: str, size: str, memory_mb: int) -> None:
    guest = read(text).guest
    assert (guest.size, guest.memory_mb) == (size, memory_mb)


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ('[[vm]]\nmemory = "lots"', "lots"),
        ('[[vm]]\nsize = "huge-1x"', "huge-1x"),
        ('[http_service]\nauto_stop_machines = "sometimes"', "sometimes"),
        ('kill_signal = "SIGNONE"', "SIGNONE"),
    ],
)
def test_refuses_values_that_fly_does_not_know(text: str, bad: str) -> None:
    with pytest.raises(InvalidError, match=bad):
        read(text)
