"""Stack files as they are read where no secret is needed."""

from pathlib import Path

import pytest

from infra import stack_file
from infra.config import ConfigError
from infra.stack_file import config_of


def test_a_committed_stack_is_read_without_its_secrets() -> None:
    config = config_of("local")
    assert config.environment == "development"
    assert config.modal_token_id is not None
    assert config.modal_token_id.get_secret_value() == "unused"


def test_a_stack_without_a_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"there is no Pulumi\.other\.yaml"):
        config_of("other")


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_file, "ROOT", tmp_path)
    (tmp_path / "Pulumi.bent.yaml").write_text("config: [")
    with pytest.raises(ConfigError, match=r"Pulumi\.bent\.yaml cannot be read"):
        config_of("bent")


def test_the_mistakes_of_a_file_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_file, "ROOT", tmp_path)
    (tmp_path / "Pulumi.bent.yaml").write_text("config: {reel:flyRegin: lax}")
    with pytest.raises(ConfigError, match="flyRegin: unknown key"):
        config_of("bent")
