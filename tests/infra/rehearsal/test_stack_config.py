"""Settings as the engine hands them to programs, whatever the file looks like."""

import json
from pathlib import Path

import pytest

from infra.rehearsal import crypto
from infra.rehearsal.encryption import EncryptionError, encrypt_into
from infra.rehearsal.project import Project, ProjectError, read_project
from infra.rehearsal.stack_config import ConfigError, StackConfig, read_stack_config

PASSPHRASE = {"PULUMI_CONFIG_PASSPHRASE": "local"}


@pytest.fixture(autouse=True)
def fast_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million rounds a key are for test_crypto.py; here they would only take time."""
    monkeypatch.setattr(crypto, "ROUNDS", 10)


@pytest.fixture
def salt() -> str:
    return crypto.new_salt("local")


def project(folder: Path, config: str = "", name: str = "app") -> Project:
    (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\nmain: infra\n{config}")
    return read_project(folder)


def settings(folder: Path, text: str, declared: str = "") -> StackConfig:
    path = folder / "Pulumi.local.yaml"
    path.write_text(text)
    return read_stack_config(path, project(folder, declared), "local", PASSPHRASE)


def test_every_value_becomes_text_as_in_the_engine(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
config:
  app:text: yes
  app:int: 7
  app:float: 1.50
  app:bool: true
  app:date: 2026-01-02
  app:list: [1, two]
  app:object: {b: 1, a: {c: [true]}}
  bare: x
  app:config:legacy: y
  other:text: "007"
""",
    )
    assert found.values == {
        "app:text": "yes",
        "app:int": "7",
        "app:float": "1.5",
        "app:bool": "true",
        "app:date": "2026-01-02",
        "app:list": '[1,"two"]',
        "app:object": '{"a":{"c":[true]},"b":1}',
        "app:bare": "x",
        "app:legacy": "y",
        "other:text": "007",
    }
    assert not found.secret_keys


def test_secure_values_are_opened_also_inside_of_objects(tmp_path: Path, salt: str) -> None:
    crypter = crypto.from_passphrase("local", salt)
    found = settings(
        tmp_path,
        f"""
encryptionsalt: {salt}
config:
  app:key:
    secure: {crypter.encrypt("hidden-value")}
  app:nested:
    user: someone
    password: {{secure: "{crypter.encrypt("hidden-too")}"}}
  app:open: shown
""",
    )
    assert found.values["app:key"] == "hidden-value"
    assert json.loads(found.values["app:nested"]) == {"user": "someone", "password": "hidden-too"}
    assert found.secret_keys == {"app:key", "app:nested"}
    assert {"hidden-value", "hidden-too"} <= found.secrets


def test_a_missing_passphrase_is_asked_for(tmp_path: Path, salt: str) -> None:
    path = tmp_path / "Pulumi.local.yaml"
    path.write_text(f"encryptionsalt: {salt}\n")
    with pytest.raises(crypto.SecretsError, match="set PULUMI_CONFIG_PASSPHRASE"):
        read_stack_config(path, project(tmp_path), "local", {})


def test_a_value_of_another_stack_is_named(tmp_path: Path, salt: str) -> None:
    foreign = crypto.Crypter(b"k" * 32).encrypt("x")
    with pytest.raises(ConfigError, match=r"app:key: a secure value cannot be decrypted"):
        settings(tmp_path, f"encryptionsalt: {salt}\nconfig:\n  app:key: {{secure: '{foreign}'}}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config: [1]", "`config` must be a mapping"),
        ("- 1", "must hold a mapping"),
        ("config: {app:x: }", "app:x has no value"),
        ("config: {'a:b:c': 1}", "'a:b:c' is no setting's name"),
        ("config: {app:x: {secure: 'v1:a:b'}}", "no `encryptionsalt`"),
        ("config: {", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"Pulumi\.local\.yaml.*" + message):
        settings(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none\.yaml.*--config"):
        read_stack_config(tmp_path / "none.yaml", project(tmp_path), "local", {})


def test_a_vectors_json_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"config": {"app:word": "open-sesame"}, "secret": ["app:word"]}')
    found = read_stack_config(path, project(tmp_path), "test", {})
    assert found.values == {"app:word": "open-sesame"}
    assert found.secret_keys == {"app:word"}
    assert found.clear


DECLARED = """
config:
  size: 3
  region: {type: string, default: weur}
  ports: {type: array, items: {type: integer}, default: [1, 2]}
  token: {type: string, secret: true, default: hush-hush}
  other:place: {value: there}
"""


def test_declared_defaults_fill_what_is_left_out(tmp_path: Path) -> None:
    found = settings(tmp_path, "config: {app:region: eeur}", DECLARED)
    assert found.values == {
        "app:region": "eeur",
        "app:size": "3",
        "app:ports": "[1,2]",
        "app:token": "hush-hush",
        "other:place": "there",
    }
    assert found.secret_keys == {"app:token"}


def test_what_is_declared_and_missing_is_asked_for_all_at_once(tmp_path: Path) -> None:
    declared = "config:\n  one: {type: string}\n  two: {type: integer}\n"
    with pytest.raises(ConfigError, match=r"missing app:one, app:two; .*pulumi config set app:one <value>"):
        settings(tmp_path, "config: {}", declared)


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("integer", "7", True),
        ("integer", "1.5", False),
        ("integer", "seven", False),
        ("number", "1.5", True),
        ("boolean", "true", True),
        ("boolean", "maybe", False),
        ("object", "{a: 1}", True),
        ("object", "text", False),
        ("string", "7", True),
    ],
)
def test_declared_types_are_checked(tmp_path: Path, kind: str, value: str, fits: bool) -> None:
    text, declared = f"config: {{app:x: {value}}}", f"config:\n  x: {{type: {kind}}}\n"
    if fits:
        assert "app:x" in settings(tmp_path, text, declared).values
    else:
        with pytest.raises(ConfigError, match=f"app:x must be of type '{kind}'"):
            settings(tmp_path, text, declared)


def test_elements_of_an_array_are_checked(tmp_path: Path) -> None:
    declared = "config:\n  x: {type: array, items: {type: integer}}\n"
    with pytest.raises(ConfigError, match="array<integer>"):
        settings(tmp_path, "config: {app:x: [1, two]}", declared)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runtime: python", "needs a `name`"),
        ("name: app\nconfig: [1]", "`config` must be a mapping"),
        ("name: app\nconfig: {other:x: {type: string}}", "another namespace"),
        ("name: app\nconfig: {x: {default: 1, value: 2}}", "both a `default` and a `value`"),
        ("name: app\nconfig: {x: {type: array}}", "needs `items`"),
        ("name: {", "no YAML"),
    ],
)
def test_a_wrong_project_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text)
    with pytest.raises(ProjectError, match=r"Pulumi\.yaml.*" + message):
        read_project(tmp_path)


def test_the_program_is_where_main_says(tmp_path: Path) -> None:
    assert project(tmp_path).program == (tmp_path / "infra").resolve()


def test_encrypt_writes_what_is_read_back_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.local.yaml"
    path.write_text("# kept\nconfig:\n  # also kept\n  app:open: shown\n\nother: 1\n")
    encrypt_into(path, "app:key", 'with "quotes" and\nlines', PASSPHRASE)
    encrypt_into(path, "app:second", "two", PASSPHRASE)
    encrypt_into(path, "app:key", "changed", PASSPHRASE)
    text = path.read_text()
    found = read_stack_config(path, project(tmp_path), "local", PASSPHRASE)
    assert found.values == {"app:open": "shown", "app:key": "changed", "app:second": "two"}
    assert found.secret_keys == {"app:key", "app:second"}
    assert "# kept" in text
    assert "  # also kept" in text
    assert text.endswith("other: 1\n")
    assert "changed" not in text


def test_encrypt_makes_the_file_and_its_salt(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.local.yaml"
    encrypt_into(path, "app:key", "value-1", PASSPHRASE)
    assert read_stack_config(path, project(tmp_path), "local", PASSPHRASE).values == {"app:key": "value-1"}


def test_encrypt_refuses_a_wrong_passphrase_and_a_strange_name(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.local.yaml"
    encrypt_into(path, "app:key", "value-1", PASSPHRASE)
    before = path.read_text()
    with pytest.raises(crypto.SecretsError, match="passphrase is wrong"):
        encrypt_into(path, "app:key", "value-2", {"PULUMI_CONFIG_PASSPHRASE": "other"})
    with pytest.raises(EncryptionError, match="no setting's name"):
        encrypt_into(path, "app: key", "value-2", PASSPHRASE)
    assert path.read_text() == before
