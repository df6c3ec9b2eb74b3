"""Compatible with Pulumi's own passphrase provider, and clear about what is wrong."""

from pathlib import Path

import pytest

from infra.rehearsal import crypto

PULUMIS_SALTS = {
    "password": "v1:fozI5u6B030=:v1:F+6ZduKKd8G0/V7L:PGMFeIzwobWRKmEAzUdaQHqC5mMRIQ==",
    "": "v1:LVuDkcjhUns=:v1:WPbL+tmbxnqWswQ2:lebZxStyHT3IZkmbN+3xCx9zqtoPog==",
}
"""Made by Pulumi: the constants of pulumi/pulumi, pkg/secrets/passphrase/manager_test.go."""


@pytest.mark.parametrize("passphrase", PULUMIS_SALTS)
def test_opens_what_pulumi_made(passphrase: str) -> None:
    crypter = crypto.from_passphrase(passphrase, PULUMIS_SALTS[passphrase])
    assert crypter.decrypt(crypter.encrypt("naïve \n text")) == "naïve \n text"


def test_a_wrong_passphrase_is_named_as_such() -> None:
    with pytest.raises(crypto.SecretsError, match=r"the passphrase is wrong.*PULUMI_CONFIG_PASSPHRASE"):
        crypto.from_passphrase("password123", PULUMIS_SALTS["password"])


@pytest.mark.parametrize("salt", ["fozI5u6B030=:v1:x", "v1", "v2:fozI5u6B030=:v1:a:b"])
def test_a_damaged_salt_is_shown(salt: str) -> None:
    with pytest.raises(crypto.SecretsError, match="not of the form"):
        crypto.from_passphrase("password", salt)


def test_a_new_salt_fits_its_passphrase() -> None:
    salt = crypto.new_salt("local")
    value = crypto.from_passphrase("local", salt).encrypt("x")
    assert crypto.from_passphrase("local", salt).decrypt(value) == "x"
    assert value.startswith("v1:")


def test_equal_values_are_encrypted_differently() -> None:
    crypter = crypto.Crypter(bytes(32))
    assert crypter.encrypt("x") != crypter.encrypt("x")


def test_what_another_key_made_is_not_opened() -> None:
    with pytest.raises(crypto.SecretsError, match="another key"):
        crypto.Crypter(bytes(32)).decrypt(crypto.Crypter(b"k" * 32).encrypt("x"))


@pytest.mark.parametrize("value", ["", "v1:x", "v2:AAAA:AAAA", "no colons"])
def test_a_damaged_value_is_named_as_such(value: str) -> None:
    with pytest.raises(crypto.SecretsError, match="damaged"):
        crypto.Crypter(bytes(32)).decrypt(value)


def test_the_passphrase_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("from-file\n")
    assert crypto.passphrase({"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}) == ""
    assert crypto.passphrase({"PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}) == "from-file"
    with pytest.raises(crypto.SecretsError, match="set PULUMI_CONFIG_PASSPHRASE"):
        crypto.passphrase({})
    with pytest.raises(crypto.SecretsError, match=r"cannot read .*missing"):
        crypto.passphrase({"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "missing")})


def test_a_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.key"
    value = crypto.from_key_file(path).encrypt("x")
    assert crypto.from_key_file(path).decrypt(value) == "x"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"short")
    with pytest.raises(crypto.SecretsError, match="damaged"):
        crypto.from_key_file(path)
