"""StackConfig says everything that is wrong with a stack file, and where addresses come from."""

from typing import Any

import pytest
import yaml

from infra.config import ConfigError, StackConfig, known_keys
from infra.sources import ROOT

TOKENS = {"reel:modalTokenId": "ak-1", "reel:modalTokenSecret": "as-very-secret"}


def staging(**changes: Any) -> dict[str, Any]:
    values = yaml.safe_load((ROOT / "Pulumi.staging.yaml").read_text())["config"]
    return {**values, **TOKENS, **{f"reel:{key}": value for key, value in changes.items()}}


def mistakes(values: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as error:
        StackConfig.parse("staging", values)
    return str(error.value)


@pytest.mark.parametrize("stack", ["local", "staging", "production"])
def test_committed_stack_files_are_valid(stack: str) -> None:
    values = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    assert StackConfig.parse(stack, {**values, **TOKENS}).stack == stack


def test_every_mistake_is_reported_at_once_with_file_key_and_value() -> None:
    values = staging(environment="Prod", accountId="x", vmMemoryMb="abc", flyRegin="lax", machines="0")
    del values["reel:modalTokenSecret"]
    said = mistakes(values)
    assert "Pulumi.staging.yaml has 6 mistake(s)" in said
    for expected in (
        "reel:environment: 'Prod' is wrong",
        "reel:accountId: 'x'",
        "reel:vmMemoryMb: 'abc'",
        "reel:flyRegin: unknown key; known are",
        "reel:machines: '0'",
        "reel:modalTokenSecret: it is not set: gpuEnabled needs it: pulumi config set --secret",
    ):
        assert expected in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"domain": "example.org"}, "domain and zoneId go together"),
        ({"landingProject": "landing"}, "a landing page needs a domain"),
        ({"environment": "tmp"}, "tmp/ expires"),
        ({"minMachinesRunning": 2}, "at most machines, 1"),
        ({"requestsSoftLimit": 250}, "below requestsHardLimit, 250"),
        ({"vmMemoryMb": 500}, "256 to 2048 MB for each CPU, in steps of 256"),
        ({"vmCpuKind": "performance"}, "2048 to 8192 MB"),
        ({"environment": "development"}, "environment development needs it"),
        ({"bucketOrigins": "not a list"}, "reel:bucketOrigins"),
        ({"r2Endpoint": "r2.example.org"}, "reel:r2Endpoint"),
    ],
)
def test_rules_between_keys(changes: dict[str, Any], said: str) -> None:
    assert said in mistakes(staging(**changes))


def test_a_secret_never_shows_in_a_message() -> None:
    values = staging(environment="prod") | {"reel:modalTokenSecret": ["as-very-secret"]}
    assert "very-secret" not in mistakes(values)
    assert "very-secret" not in repr(StackConfig.parse("staging", staging()))


def test_text_values_are_read_as_pulumi_hands_them_over() -> None:
    config = StackConfig.parse(
        "staging",
        staging(
            bucketManaged="true",
            machines="2",
            vmCpus="2",
            vmMemoryMb="1024",
            domain="",
            bucketOrigins='["https://app.example.org/"]',
        ),
    )
    assert (config.bucket_managed, config.machines, config.domain) == (True, 2, None)
    assert config.bucket_origins == ("https://app.example.org",)


def test_values_of_other_namespaces_are_left_alone() -> None:
    assert StackConfig.parse("staging", {**staging(), "pulumi:disable-default-providers": "[]"})


def test_addresses_follow_from_names() -> None:
    config = StackConfig.parse("staging", staging())
    assert config.api_address == "https://reel-ballers-api-staging.fly.dev"
    assert config.app_address == "https://staging.reel-ballers-app.pages.dev"
    assert config.landing_address is None
    assert config.r2_address == f"https://{config.account_id}.r2.cloudflarestorage.com"


def test_addresses_follow_from_the_domain() -> None:
    config = StackConfig.parse("x", staging(domain="example.org", zoneId="0" * 32, landingProject="landing"))
    assert config.api_address == "https://api.example.org"
    assert config.app_address == "https://app.example.org"
    assert config.landing_address == "https://example.org"


def test_pulumi_declares_exactly_the_known_keys_with_the_same_defaults() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert sorted(declared) == known_keys()
    defaults = {field.alias: field for field in StackConfig.model_fields.values()}
    for key, schema in declared.items():
        assert schema["description"]
        if "default" in schema:
            own = defaults[key].get_default()
            assert schema["default"] == ("" if own is None else list(own) if isinstance(own, tuple) else own), key
