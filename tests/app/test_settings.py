import pytest

from app.settings import Settings, SettingsError, load_settings
from tests.app.backend import ENVIRONMENT, STAGING

STRIPE = {"STRIPE_WEBHOOK_SECRET": "whsec_0123456789", "STRIPE_SECRET_KEY": "sk_test_0123456789"}


def mistakes(**changes: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings({**ENVIRONMENT, **changes})
    return caught.value.mistakes


def test_development_has_defaults_for_all_but_the_store() -> None:
    settings = load_settings(ENVIRONMENT)
    assert (settings.env, settings.host, settings.port, settings.web_concurrency) == (
        "development",
        "127.0.0.1",
        8080,
        1,
    )
    assert settings.modal is None
    assert not settings.debug


def test_local_origins_are_added_in_development_only() -> None:
    development = load_settings({**ENVIRONMENT, "CORS_ORIGINS": "http://127.0.0.1:5173, http://localhost:5173"})
    assert development.cors_origins == (
        "http://127.0.0.1:5173",
        "http://localhost:5173",
        "http://localhost:3000",
    )
    assert load_settings(STAGING).cors_origins == ("https://staging.example.com",)


def test_one_message_names_every_mistake() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"PORT": "eighty", "DEBUG": "maybe", "MODAL_ENABLED": "true", "STRIPE_SECRET_KEY": "sk_test_1"})
    text = str(caught.value)
    for name in (
        "APP_ENV",
        "PORT",
        "DEBUG",
        "R2_ENDPOINT",
        "R2_BUCKET",
        "R2_ACCESS_KEY_ID",
        "R2_SECRET_ACCESS_KEY",
        "MODAL_TOKEN_ID",
        "MODAL_TOKEN_SECRET",
        "STRIPE_WEBHOOK_SECRET",
    ):
        assert name in text
    assert len(caught.value.mistakes) == 10


def test_empty_counts_as_missing() -> None:
    assert mistakes(R2_BUCKET=" ") == ("R2_BUCKET is missing",)


def test_no_secret_is_ever_in_a_message_or_repr() -> None:
    secrets = {
        "R2_SECRET_ACCESS_KEY": "hidden-1",
        "STRIPE_SECRET_KEY": "sk_live_hidden-2",
        "STRIPE_WEBHOOK_SECRET": "changeme",
        "REDIS_URL": "http://hidden-4",
        "MODAL_TOKEN_SECRET": "short",
        "VERIFY_TOKEN": "hidden-5",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings({**STAGING, **secrets})
    assert len(caught.value.mistakes) == 5
    for value in secrets.values():
        assert value not in str(caught.value)
    hidden = {"R2_SECRET_ACCESS_KEY": "hidden-1", "VERIFY_TOKEN": "hidden-" * 5}
    assert "hidden" not in repr(load_settings({**ENVIRONMENT, **hidden}))


def test_aliases_are_accepted_and_may_not_contradict() -> None:
    endpoint, bucket = ENVIRONMENT["R2_ENDPOINT"], ENVIRONMENT["R2_BUCKET"]
    renamed = {name: value for name, value in ENVIRONMENT.items() if name not in ("R2_ENDPOINT", "R2_BUCKET")}
    settings = load_settings({**renamed, "R2_ENDPOINT_URL": endpoint + "/", "R2_BUCKET_NAME": bucket})
    assert (settings.r2.endpoint, settings.r2.bucket) == (endpoint, bucket)
    assert mistakes(R2_BUCKET_NAME="other") == ("R2_BUCKET and R2_BUCKET_NAME differ; keep R2_BUCKET only",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("R2_ENABLED", "false"),
        ("R2_ENDPOINT", "http://r2.example.com"),
        ("R2_ENDPOINT", "https://r2.example.com/bucket"),
        ("R2_ENDPOINT", "r2.example.com"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("WEB_CONCURRENCY", "0"),
        ("APP_ENV", "Prod"),
        ("APP_ENV", "a_b"),
        ("APP_ENV", "-a"),
        ("APP_ENV", "a/b"),
        ("APP_ENV", "a" * 59),
        ("ENV", "preview-7"),
        ("VERIFY_TOKEN", "x" * 31),
        ("VERIFY_TOKEN", "x" * 31 + " y"),
        ("VERIFY_TOKEN", "x" * 31 + "\u00e9"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://*"),
        ("CORS_ORIGINS", "https://a.*.com"),
        ("CORS_ORIGINS", "https://*.pages.dev"),
        ("CORS_ORIGINS", "https://app.example.com/"),
        ("CORS_ORIGINS", "app.example.com"),
        ("REDIS_URL", "localhost:6379"),
    ],
)
def test_a_wrong_value_stops_the_start(name: str, value: str) -> None:
    found = mistakes(**{name: value})
    assert len(found) == 1
    assert found[0].startswith(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENV", "development"),
        ("DEBUG", "true"),
        ("CLEAR_PENDING_JOBS_ON_STARTUP", "true"),
        ("CORS_ORIGINS", "http://localhost:5173"),
        ("CORS_ORIGINS", ""),
        ("R2_SECRET_ACCESS_KEY", "changeme"),
        ("STRIPE_SECRET_KEY", "sk_live_0123456789"),
    ],
)
def test_what_is_for_development_only_contradicts_staging(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(
            {
                **STAGING,
                "STRIPE_WEBHOOK_SECRET": "whsec_0123456789",
                "STRIPE_SECRET_KEY": "sk_test_0123456",
                name: value,
            }
        )
    assert [mistake.split()[0] for mistake in caught.value.mistakes] == [name]


def test_production_wants_live_stripe_keys() -> None:
    production = {**STAGING, "APP_ENV": "production", "STRIPE_WEBHOOK_SECRET": "whsec_0123456789"}
    assert load_settings({**production, "STRIPE_SECRET_KEY": "sk_live_0123456789"}).stripe_secret_key
    with pytest.raises(SettingsError, match="a test key in production"):
        load_settings({**production, "STRIPE_SECRET_KEY": "sk_test_0123456789"})


def test_modal_needs_its_token_and_takes_an_environment() -> None:
    token = {"MODAL_ENABLED": "true", "MODAL_TOKEN_ID": "ak-1", "MODAL_TOKEN_SECRET": "as-1"}
    settings = load_settings({**ENVIRONMENT, **token, "MODAL_ENVIRONMENT": "staging"})
    assert settings.modal is not None
    assert settings.modal.environment == "staging"
    assert mistakes(MODAL_ENABLED="true") == ("MODAL_TOKEN_ID is missing", "MODAL_TOKEN_SECRET is missing")


def test_settings_cannot_be_changed_later() -> None:
    settings: Settings = load_settings(ENVIRONMENT)
    with pytest.raises(AttributeError):
        settings.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("app_env", "env"),
    [
        ("development", "development"),
        ("staging", "staging"),
        ("production", "production"),
        ("preview-7", "production"),
        ("developmen", "production"),
        ("development-2", "production"),
    ],
)
def test_any_label_is_an_environment_and_an_unknown_one_is_as_strict_as_production(app_env: str, env: str) -> None:
    settings = load_settings({**STAGING, "APP_ENV": app_env})
    assert (settings.app_env, settings.env) == (app_env, env)
    assert settings.is_development == (app_env == "development")


def test_an_unknown_environment_may_not_tell_callers_about_errors() -> None:
    assert mistakes(**STAGING | {"APP_ENV": "preview-7", "ENV": "development"})[0].startswith("ENV development")


def test_a_verify_token_is_kept_secret() -> None:
    token = load_settings({**ENVIRONMENT, "VERIFY_TOKEN": "x" * 32}).verify_token
    assert token is not None
    assert token.get_secret_value() == "x" * 32
    assert load_settings(ENVIRONMENT).verify_token is None
