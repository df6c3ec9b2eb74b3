"""What is said about one resource."""

import json

from infra.picture.details import cloud, detail, kind, marks
from infra.rehearsal.values import UNKNOWN, secret
from tests.infra.picture.declared import command, resource


def test_a_command_is_named_by_its_step_and_belongs_to_its_tools_cloud() -> None:
    steps = {"fly secrets": "fly", "modal deploy": "modal", "pages deploy": "cloudflare", "ship it": ""}
    for step, where in steps.items():
        assert (kind(command("x", step)), cloud(command("x", step))) == (f"command: {step}", where)


def test_a_resource_is_named_by_its_type() -> None:
    bucket = resource("x", "cloudflare:index/r2Bucket:R2Bucket", inputs={"name": "users"})
    assert (kind(bucket), cloud(bucket), detail(bucket)) == ("R2Bucket", "cloudflare", "users")
    assert cloud(resource("x", "aws:s3:Bucket")) == ""


def test_a_step_says_what_it_is_about_and_where() -> None:
    given = {"project": "site", "branch": "staging", "account_id": "1"}
    assert detail(command("x", "pages deploy", stdin=json.dumps(given))) == "site (staging)"
    assert (
        detail(command("x", "modal secret", stdin=secret('{"name": "keys", "environment": "main"}'))) == "keys (main)"
    )
    assert detail(command("x", "fly app", stdin='{"app": "api", "org": "personal"}')) == "api"


def test_what_a_preview_cannot_know_is_not_said() -> None:
    assert detail(command("x", "fly deploy", stdin=UNKNOWN)) == ""
    assert detail(resource("x", inputs={"name": UNKNOWN})) == ""


def test_a_record_says_when_it_is_not_proxied() -> None:
    kind_of = "cloudflare:index/dnsRecord:DnsRecord"
    given = {"type": "CNAME", "name": "api.x.test"}
    assert detail(resource("x", kind_of, inputs={**given, "proxied": True})) == "CNAME api.x.test"
    assert detail(resource("x", kind_of, inputs={**given, "proxied": False})) == "CNAME api.x.test\nnot proxied"


def test_marks_tell_how_the_engine_treats_it() -> None:
    kept = resource("x", protect=True, retain_on_delete=True, additional_secret_outputs=["value"])
    assert marks(kept) == ("protected", "stays when destroyed", "secret output")
    step = command("x", "fly app", delete="undo", stdin=secret("{}"), environment={"SOURCE_HASH": "1"})
    assert marks(step) == ("secret input", "runs again when its sources change", "undone when destroyed")
    assert marks(command("x", "fly scale")) == ()


def test_no_secret_is_told() -> None:
    step = command("x", "fly secrets", stdin=secret('{"app": "api", "secrets": {"KEY": "s3cret"}}'))
    assert "s3cret" not in detail(step) + kind(step) + "".join(marks(step))
