"""The loopback flyctl answers as the recording of the real one does: commands that need no machine."""

from pathlib import Path

import pytest

from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl
from tests.infra.localcloud.fly.recorded import Record, load, normal, shape

pytestmark = MODULE_LOOP
RECORDS = load()

BROKEN_TOML = {
    "syntax.toml": 'app = "orbit-api"\nprimary_region = "lax\n\n[build]\n  dockerfile = "Dockerfile"\n',
    "badmem.toml": 'app = "orbit-api"\n[[vm]]\nmemory = "lots"\n',
    "badstrategy.toml": 'app = "orbit-api"\n[deploy]\nstrategy = "sideways"\n',
    "noport.toml": 'app = "orbit-api"\n[http_service]\nforce_https = true\n',
    "badcheck.toml": 'app = "orbit-api"\n[http_service]\n[[http_service.checks]]\ninterval = "often"\n',
    "badtype.toml": 'app = "orbit-api"\n[http_service]\nmin_machines_running = "none"\n',
    "unknown.toml": 'app = "orbit-api"\n[surprise]\nx = 1\n',
    "noapp.toml": 'primary_region = "lax"\n',
}
# The whole of stdout and stderr is compared.
EXACT = [
    *("apps-create-exists", "apps-create-bad-name", "apps-create-org-missing", "apps-create-no-name"),
    *("missing-app-status-json", "missing-app-secrets-import", "missing-app-secrets-list-json"),
    *("missing-app-secrets-unset", "missing-app-releases-json", "missing-app-machine-list-json"),
    *("missing-app-scale-count", "missing-app-certs-add", "missing-app-certs-list-json", "missing-app-ips-list-json"),
    *("missing-app-logs-no-tail", "missing-app-deploy", "missing-app-destroy", "apps-destroy", "prompt-apps-destroy"),
    *("secrets-import-stage", "secrets-unset-stage", "secrets-unset-unknown-stage", "secrets-import-empty"),
    *("secrets-import-malformed", "secrets-import-no-stage-undeployed", "status-no-app-no-toml"),
    *("no-token-status-json", "no-token-apps-create", "no-token-secrets-import", "no-token-deploy"),
    *("no-token-config-validate", "no-token-certs-list-json", "bad-token-status-json", "bad-token-secrets-import"),
    *("bad-token-deploy", "bad-token-certs-list-json", "unreachable-status-json", "unreachable-secrets-import"),
    *("unreachable-deploy", "unreachable-config-validate", "unreachable-certs-list-json", "config-validate"),
    *("config-validate-strict", "toml-badmem-validate", "toml-badstrategy-validate", "toml-noport-validate"),
    *("toml-badcheck-validate", "toml-badtype-validate", "toml-unknown-validate", "toml-noapp-validate"),
    *("toml-absent-validate", "toml-unknown-validate-strict", "toml-badstrategy-deploy", "toml-badtype-deploy"),
    *("toml-absent-deploy", "deploy-image-missing", "certs-check-unknown-host", "prompt-certs-remove"),
    *("missing-app-status", "missing-app-ips-allocate-v6", "no-token-apps-list-json", "bad-token-apps-list-json"),
    *("unreachable-apps-list-json", "unreachable-logs-no-tail", "prompt-ips-allocate-v4", "status-empty-app"),
    *("version", "whoami"),
]


@pytest.fixture
def folder(flyctl: Flyctl, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is the sample's, with the broken files of the recording."""
    for name, text in BROKEN_TOML.items():
        (flyctl.folder / name).write_text(text)
    monkeypatch.chdir(flyctl.folder)
    return flyctl.folder


async def run(flyctl: Flyctl, record: Record) -> Record:
    result = await flyctl(*record.argv[1:], stdin=record.stdin, env=record.env)
    return Record(record.argv, result.exit, result.out, result.err)


@pytest.mark.parametrize("name", EXACT)
async def test_answers_in_the_same_words(flyctl: Flyctl, app: str, folder: Path, name: str) -> None:
    answer = await run(flyctl, RECORDS[name])
    assert answer.exit == RECORDS[name].exit
    assert normal(answer.stdout) == normal(RECORDS[name].stdout)
    assert normal(answer.stderr) == normal(RECORDS[name].stderr)


@pytest.mark.parametrize("name", ["toml-syntax-validate", "toml-syntax-deploy", "unknown-flag", "unknown-command"])
async def test_names_the_same_error_first(flyctl: Flyctl, app: str, folder: Path, name: str) -> None:
    answer = await run(flyctl, RECORDS[name])
    assert answer.exit == RECORDS[name].exit
    assert normal(answer.stderr).splitlines()[0] == normal(RECORDS[name].stderr).splitlines()[0]


async def test_apps_are_created_and_destroyed_in_the_same_words(flyctl: Flyctl) -> None:
    for name in ("apps-create", "apps-create-no-org-one-org"):
        answer = await run(flyctl, RECORDS[name])
        assert (answer.exit, normal(answer.stdout)) == (0, normal(RECORDS[name].stdout))
        assert normal(answer.stderr) == normal(RECORDS[name].stderr)
    await flyctl("apps", "create", "second-api")
    answer = await run(flyctl, RECORDS["apps-destroy-two-second-missing"])
    assert answer.exit == 1
    assert normal(answer.stderr) == normal(RECORDS["apps-destroy-two-second-missing"].stderr)
    assert normal(answer.stdout) == "Destroyed app second-api"


async def test_the_status_of_an_app_without_a_deploy_is_the_same(flyctl: Flyctl, app: str) -> None:
    answer = await run(flyctl, RECORDS["status-json-empty-app"])
    assert answer.json == RECORDS["status-json-empty-app"].json


async def test_secrets_are_parsed_and_listed_the_same(flyctl: Flyctl, app: str) -> None:
    await run(flyctl, RECORDS["secrets-import-stage"])
    assert (await run(flyctl, RECORDS["secrets-list-json"])).json == RECORDS["secrets-list-json"].json


async def test_certificates_have_the_same_fields(flyctl: Flyctl, deployed: str) -> None:
    added = await run(flyctl, RECORDS["certs-add"])
    assert normal(added.stdout) == normal(RECORDS["certs-add"].stdout)
    again = await run(flyctl, RECORDS["certs-add-twice"])
    assert normal(again.stderr) == normal(RECORDS["certs-add-twice"].stderr)
    for name in ("certs-check-json", "certs-list-json"):
        assert shape((await run(flyctl, RECORDS[name])).json) == shape(RECORDS[name].json)
    await flyctl("certs", "add", "new.example.com", "-a", APP)
    removed = await run(flyctl, RECORDS["certs-remove"])
    assert (removed.exit, normal(removed.stdout)) == (0, normal(RECORDS["certs-remove"].stdout))
