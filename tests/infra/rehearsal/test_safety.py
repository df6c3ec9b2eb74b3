import json
from pathlib import Path

import pytest

from infra.rehearsal.redact import Redactor
from infra.rehearsal.safety import (
    NOWHERE,
    EnvFileError,
    UnsafeError,
    check_addresses,
    is_loopback,
    read_env_file,
    surroundings,
)


@pytest.mark.parametrize(
    ("address", "is_here"),
    [
        ("http://127.0.0.1:9401/client/v4", True),
        ("http://localhost:8000", True),
        ("http://api.localhost", True),
        ("grpc://[::1]:9402", True),
        ("127.0.0.53:80", True),
        ("https://api.cloudflare.com/client/v4", False),
        ("http://127.0.0.1.example.com", False),
        ("http://user@10.0.0.1/127.0.0.1", False),
        ("api.example.com", False),
        ("", False),
    ],
)
def test_is_loopback(address: str, is_here: bool) -> None:
    assert is_loopback(address) is is_here


@pytest.mark.parametrize("key", ["app:cloudflareUrl", "app:r2Endpoint", "app:url"])
def test_an_address_elsewhere_is_refused_by_name(key: str) -> None:
    with pytest.raises(UnsafeError, match=f"{key} is 'https://example.com'.*loopback"):
        check_addresses({key: "https://example.com"})


def test_addresses_inside_of_objects_are_found() -> None:
    with pytest.raises(UnsafeError, match=r"app:cloud\.modal\.serverUrl"):
        check_addresses({"app:cloud": json.dumps({"modal": {"serverUrl": "https://api.example.com"}})})


def test_other_settings_and_loopback_addresses_pass() -> None:
    check_addresses({"app:domain": "example.com", "app:apiUrl": "http://127.0.0.1:1", "app:emptyUrl": ""})
    check_addresses({"app:x": "{no JSON", "app:list": '["https://example.com"]'})


def test_real_credentials_stay_away_from_commands() -> None:
    real = {"CLOUDFLARE_API_TOKEN": "real", "FLY_API_TOKEN": "real", "AWS_SECRET_ACCESS_KEY": "real", "PATH": "/bin"}
    found = surroundings({**real, "PULUMI_CONFIG_PASSPHRASE": "p"}, None)
    assert found.commands == {**NOWHERE, "PATH": "/bin"}


def test_stand_in_credentials_reach_commands_and_are_secret(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text(
        "# local\nFLY_API_TOKEN='local-fly'\nexport MODAL_TOKEN_ID=ak-local\n\nCLOUDFLARE_BASE_URL=http://127.0.0.1:1\n"
    )
    found = surroundings({"FLY_API_TOKEN": "real", "CLOUDFLARE_BASE_URL": "https://real"}, file)
    assert found.commands["FLY_API_TOKEN"] == "local-fly"
    assert found.commands["MODAL_TOKEN_ID"] == "ak-local"
    assert found.cloud["CLOUDFLARE_BASE_URL"] == "http://127.0.0.1:1"
    assert {"local-fly", "ak-local"} <= found.secrets


def test_the_passphrase_opens_settings_and_reaches_no_command(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("PULUMI_CONFIG_PASSPHRASE=from-file\n")
    found = surroundings({"PULUMI_CONFIG_PASSPHRASE": "from-environment", "PATH": "/bin"}, file)
    assert found.passphrase == {"PULUMI_CONFIG_PASSPHRASE": "from-file"}
    assert found.commands == {**NOWHERE, "PATH": "/bin"}


def test_a_wrong_line_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("A=1\nnot a variable\n")
    with pytest.raises(EnvFileError, match="line 2"):
        read_env_file(file)
    with pytest.raises(EnvFileError, match="none"):
        read_env_file(tmp_path / "none")


def test_a_secret_is_hidden_in_every_form() -> None:
    redactor = Redactor()
    redactor.add('s3cr&t "é"/x', "first-line\nsecond-line")
    hidden = [
        's3cr&t "é"/x',
        json.dumps('s3cr&t "é"/x'),
        json.dumps('s3cr&t "é"/x', ensure_ascii=False),
        "s3cr%26t%20%22%C3%A9%22%2Fx",
        "s3cr%26t+%22%C3%A9%22%2Fx",
        "only second-line here",
    ]
    for text in hidden:
        assert "[secret]" in redactor.text(text), text
        assert "s3cr" not in redactor.text(text)
        assert "second-line" not in redactor.text(text)


def test_longer_secrets_go_first_and_short_ones_are_left() -> None:
    redactor = Redactor()
    redactor.add("abcd", "abcdefgh", "1")
    assert redactor.text("abcdefgh abcd 1") == "[secret] [secret] 1"


def test_values_are_redacted_at_every_depth() -> None:
    redactor = Redactor()
    redactor.add("hidden")
    assert redactor.value({"a": ["it is hidden", 1]}) == {"a": ["it is [secret]", 1]}


def test_tools_without_an_address_find_a_closed_port_of_this_machine() -> None:
    real = {"MODAL_SERVER_URL": "https://api.modal.com", "FLY_API_BASE_URL": "https://api.fly.io"}
    commands = surroundings(real, None).commands
    for name in ("CLOUDFLARE_API_BASE_URL", "FLY_API_BASE_URL", "FLY_FLAPS_BASE_URL", "MODAL_SERVER_URL"):
        assert is_loopback(commands[name])
