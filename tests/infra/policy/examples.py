"""For every rule what violates it and what does not: (subject, stack, a part of the message)."""

from dataclasses import replace
from typing import Any

from infra.policy.model import STACK_TYPE, Context, Plan, PlannedResource
from infra.policy.values import UNKNOWN, Secret
from tests.infra.policy.support import (
    DIGEST,
    LOCAL,
    PRODUCTION,
    STAGING,
    command,
    deployment,
    fly_toml,
    resource,
    step,
)

Subject = PlannedResource | Plan
VALUE = "a-value-that-nobody-may-see"
KNOWING = replace(STAGING, secrets=frozenset({VALUE}))
BUCKET, CORS = "cloudflare:index/r2Bucket:R2Bucket", "cloudflare:index/r2BucketCors:R2BucketCors"
LIFECYCLE, RECORD = "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle", "cloudflare:index/dnsRecord:DnsRecord"
DELETES: dict[str, Any] = {"deleteObjectsTransition": {"condition": {"type": "Age", "maxAge": 86400}}}
MOVES: dict[str, Any] = {"storageClassTransitions": [{"storageClass": "InfrequentAccess"}]}
ABORTS: dict[str, Any] = {"abortMultipartUploadsTransition": {"condition": {"type": "Age", "maxAge": 604800}}}


def cors(origins: Any) -> PlannedResource:
    return resource(CORS, {"rules": [{"allowed": {"origins": origins}}]})


def lifecycle(prefix: Any, acts: dict[str, Any]) -> PlannedResource:
    return resource(LIFECYCLE, {"rules": [{"id": "r", "conditions": {"prefix": prefix}, **acts}]})


def record(content: str, proxied: bool) -> PlannedResource:
    return resource(RECORD, {"name": "api.example.org", "content": content, "proxied": proxied})


def priced(budget: int, **config: str) -> Context:
    return replace(PRODUCTION, config={"environment": "production", "monthlyBudgetUsd": str(budget), **config})


def fleet(machines: int, budget: int, **changes: Any) -> Plan:
    scale = replace(step("fly scale", {"machines": machines}), urn="urn:scale")
    return Plan(priced(budget), (deployment(**changes), scale))


def outputs(**values: Any) -> Plan:
    return Plan(KNOWING, (), values)


VIOLATIONS: dict[str, list[tuple[Subject, Context, str]]] = {
    "data-bucket-is-kept": [
        (resource(BUCKET, retain_on_delete=True), STAGING, "lacks protect"),
        (resource(BUCKET, protect=True, retain_on_delete=False), STAGING, "lacks retain_on_delete"),
        (resource(BUCKET), LOCAL, "lacks protect"),
    ],
    "lifecycle-spares-user-data": [
        (lifecycle("", DELETES), STAGING, "deleteObjectsTransition and its prefix is ''"),
        (lifecycle("production/", DELETES), STAGING, "'production/'"),
        (lifecycle("production/users/tmp/", DELETES), STAGING, "'production/users/tmp/'"),
        (lifecycle("tmp", DELETES), STAGING, "'tmp'"),
        (lifecycle("staging/users/", MOVES), STAGING, "storageClassTransitions"),
        (lifecycle(UNKNOWN, DELETES), STAGING, "not known yet"),
        (resource(LIFECYCLE, {"rules": [{"id": "no conditions", **DELETES}]}), STAGING, "no conditions"),
    ],
    "environment-does-not-expire": [(deployment(env__APP_ENV="tmp"), STAGING, "APP_ENV is tmp")],
    "no-triggers-with-delete": [
        (command({"triggers": ["1"], "delete": "fly apps destroy x"}), STAGING, "triggers and delete"),
        (command({"triggers": UNKNOWN, "delete": "true"}), STAGING, "triggers and delete"),
    ],
    "no-previous-output-in-environment": [
        (command({"addPreviousOutputInEnv": None}), STAGING, "E2BIG"),
        (command({"addPreviousOutputInEnv": True}), STAGING, "E2BIG"),
    ],
    "secret-steps-are-silent": [
        (command({"stdin": Secret("x"), "logging": "none"}), STAGING, "its stdout is not"),
        (
            command({"stdin": Secret("x")}, additional_secret_outputs=("stdout", "stderr")),
            STAGING,
            "its logging is not none",
        ),
    ],
    "no-secret-in-environment": [
        (command({"environment": {"COLOUR": Secret("blue")}}), STAGING, "environment.COLOUR is secret"),
        (command({"environment": Secret({"COLOUR": "blue"})}), STAGING, "its environment is secret"),
        (command({"environment": {"COLOUR": f"of {VALUE}"}}), KNOWING, "environment.COLOUR is a secret in clear"),
        (command({"environment": {"STRIPE_API_KEY": "sk"}}), STAGING, "environment.STRIPE_API_KEY"),
        (command({"environment": {"dbPassword": "x"}}), STAGING, "environment.dbPassword"),
        (command({"environment": {"FLY_API_TOKEN": "x"}}), STAGING, "environment.FLY_API_TOKEN"),
        (command({"environment": {"CLOUDFLARE_EMAIL": "x"}}), STAGING, "environment.CLOUDFLARE_EMAIL"),
        (command({"environment": {"MODAL_TOKEN_ID": UNKNOWN}}), STAGING, "environment.MODAL_TOKEN_ID"),
    ],
    "no-secret-in-words": [
        (command({"create": Secret("true")}), STAGING, "create is secret"),
        (command({"update": f"curl -u me:{VALUE} x"}), KNOWING, "update has a secret"),
        (command({"delete": "tool --api-token=abc rm"}), STAGING, "delete hands over api-token"),
        (command({"create": "API_KEY=$STRIPE_API_KEY tool"}), STAGING, "create hands over API_KEY"),
    ],
    "secret-input-is-marked": [
        (command({"stdin": f"take {VALUE}"}), KNOWING, "stdin holds a secret"),
        (step("fly secrets", {"secrets": {"R2_SECRET_ACCESS_KEY": "x"}}), STAGING, "R2_SECRET_ACCESS_KEY"),
    ],
    "bucket-origins-are-https": [
        (cors(["*"]), STAGING, "allows '*'"),
        (cors(["https://*.example.org"]), STAGING, "allows 'https://*.example.org'"),
        (cors(["https://a.example", "http://b.example"]), PRODUCTION, "allows 'http://b.example'"),
    ],
    "backend-origins-are-https": [
        (deployment(env__CORS_ORIGINS="*"), STAGING, "allows '*'"),
        (deployment(env__CORS_ORIGINS="https://a.example,http://b.example"), PRODUCTION, "http://b.example"),
        (deployment(env__CORS_ORIGINS="https://*.pages.dev"), STAGING, "https://*.pages.dev"),
        (deployment(env__CORS_ORIGINS="https://*.reel.pages.dev"), PRODUCTION, "https://*.reel.pages.dev"),
        (deployment(env__CORS_ORIGINS="http://127.0.0.1:5173"), STAGING, "http://127.0.0.1:5173"),
    ],
    "development-stays-here": [
        (deployment(env__APP_ENV="development"), LOCAL, "X-User-ID"),
        (deployment(env__APP_ENV="development", fly_url="http://127.0.0.1.example:1"), LOCAL, "X-User-ID"),
    ],
    "production-is-warm": [
        (deployment(http_service__min_machines_running=0), PRODUCTION, "min_machines_running is 0"),
        (step("fly scale", {"machines": 0}), PRODUCTION, "machines is 0"),
        (deployment(http_service__min_machines_running=0), Context("production"), "min_machines_running is 0"),
    ],
    "production-has-a-health-check": [
        (deployment(http_service__checks=[]), PRODUCTION, "no check with a path"),
        (deployment(http_service__checks=[{"interval": "15s"}]), PRODUCTION, "no check with a path"),
        (deployment(http_service={}), PRODUCTION, "no check with a path"),
    ],
    "production-image-has-a-digest": [
        (deployment(image=""), PRODUCTION, "image is ''"),
        (deployment(image=None), PRODUCTION, "image is ''"),
        (deployment(image="registry.fly.io/reel:latest"), PRODUCTION, ":latest"),
        (deployment(image=DIGEST[:-1]), PRODUCTION, "image is"),
    ],
    "within-budget": [
        (deployment(), priced(7, machines="2"), "about 7.28 USD a month, 7 are allowed"),
        (deployment(), priced(8, exportsPerMonth="1000"), "Modal `render`"),
        (deployment(vm=[{"cpu_kind": "performance", "cpus": 8, "memory_mb": 16384}]), priced(40), "310.00"),
        (
            deployment(vm=[{"cpu_kind": "shared", "cpus": 1, "memory_mb": 1024, "gpu_kind": "a10"}]),
            priced(40),
            "a10 has no price",
        ),
        (deployment(vm=[]), priced(40), "no machine size that can be priced"),
        (deployment(vm=[{"cpu_kind": "a100-40gb", "cpus": 1, "memory_mb": 1024}]), priced(40), "a100-40gb"),
    ],
    "ceiling-within-budget": [(fleet(6, 40), PRODUCTION, "6 machines would cost 42.75 USD if all ran; 40")],
    "fly-names-are-not-proxied": [(record("reel.fly.dev", True), PRODUCTION, "api.example.org is proxied")],
    "no-secret-in-clear": [
        (Plan(KNOWING, (resource("a:b:C", {"tags": {"note": [f"-{VALUE}-"]}}),)), KNOWING, "tags.note[0] holds"),
    ],
    "secret-outputs-are-marked": [
        (outputs(address=f"https://x/?k={VALUE}"), KNOWING, "the output address holds a secret"),
        (outputs(verify_token="t"), KNOWING, "the output verify_token is named like a secret"),
        (outputs(all={"apiKey": "t"}), KNOWING, "the output all.apiKey is named like a secret"),
    ],
}

PASSES: dict[str, list[tuple[Subject, Context]]] = {
    "data-bucket-is-kept": [
        (resource(BUCKET, protect=True, retain_on_delete=True), STAGING),
        (resource(BUCKET, protect=True, retain_on_delete=None), STAGING),
    ],
    "lifecycle-spares-user-data": [
        (lifecycle("", ABORTS), STAGING),
        (lifecycle("tmp/", DELETES), STAGING),
        (lifecycle("staging/tmp/", MOVES), STAGING),
    ],
    "environment-does-not-expire": [(deployment(env__APP_ENV="tmp-2"), STAGING)],
    "no-triggers-with-delete": [
        (command({"triggers": ["1"]}), STAGING),
        (command({"delete": "true"}), STAGING),
        (command({"triggers": [], "delete": "true"}), STAGING),
    ],
    "no-previous-output-in-environment": [(command({}), STAGING)],
    "secret-steps-are-silent": [
        (
            command({"stdin": Secret("x"), "logging": "none"}, additional_secret_outputs=("stderr", "stdout")),
            STAGING,
        ),
        (command({"stdin": "x", "logging": "stderr"}), STAGING),
    ],
    "no-secret-in-environment": [
        (command({"environment": {"SOURCE_HASH": "0" * 64, "PUBLIC_KEY": "x", "TOKEN": ""}}), KNOWING),
        (command({"environment": {"FLY_API_BASE_URL": "http://127.0.0.1:1"}}), STAGING),
        (command({}), KNOWING),
    ],
    "no-secret-in-words": [
        (command({"create": ".venv/bin/python -m infra.deploy fly secrets"}), KNOWING),
        (command({"create": "tool --region=lax key"}), KNOWING),
    ],
    "secret-input-is-marked": [
        (step("fly secrets", Secret('{"secrets": {"R2_SECRET_ACCESS_KEY": "x"}}')), KNOWING),
        (step("fly deploy", {"secrets_version": "12", "token_id": "x", "apiKey": None}), KNOWING),
    ],
    "bucket-origins-are-https": [
        (cors(["https://app.example.org"]), PRODUCTION),
        (cors(["http://127.0.0.1:5173"]), LOCAL),
    ],
    "backend-origins-are-https": [
        (deployment(), PRODUCTION),
        (deployment(env__CORS_ORIGINS="https://*.reel.pages.dev"), STAGING),
        (deployment(env__CORS_ORIGINS="http://127.0.0.1:5173"), LOCAL),
    ],
    "development-stays-here": [
        (deployment(env__APP_ENV="development", fly_url="http://127.0.0.1:9404"), LOCAL),
        (deployment(), PRODUCTION),
    ],
    "production-is-warm": [
        (deployment(), PRODUCTION),
        (deployment(http_service__min_machines_running=0, http_service__auto_stop_machines="off"), PRODUCTION),
        (deployment(http_service__min_machines_running=0), STAGING),
        (step("fly scale", {"machines": 1}), PRODUCTION),
    ],
    "production-has-a-health-check": [
        (deployment(), PRODUCTION),
        (deployment(http_service__checks=[]), STAGING),
    ],
    "production-image-has-a-digest": [(deployment(), PRODUCTION), (deployment(image=""), STAGING)],
    "within-budget": [
        (deployment(), priced(8, machines="2")),
        (deployment(env__APP_ENV="development"), priced(0)),
    ],
    "ceiling-within-budget": [
        (fleet(2, 15), PRODUCTION),
        (fleet(50, 0, env__APP_ENV="development"), LOCAL),
        (Plan(priced(0), ()), PRODUCTION),
    ],
    "fly-names-are-not-proxied": [
        (record("reel.fly.dev", False), PRODUCTION),
        (record("reel.pages.dev", True), PRODUCTION),
    ],
    "no-secret-in-clear": [
        (Plan(KNOWING, (resource("a:b:C", {"value": Secret(VALUE)}),)), KNOWING),
        (Plan(KNOWING, (resource(STACK_TYPE, {"out": VALUE}),)), KNOWING),
    ],
    "secret-outputs-are-marked": [(outputs(verify_token=Secret("t"), app_url="https://x", empty_token=""), KNOWING)],
}

UNREADABLE: list[PlannedResource] = [
    step("fly deploy", "no JSON"),
    step("fly deploy", None),
    step("fly deploy", {"image": DIGEST}),
    step("fly deploy", {"config": fly_toml() + "[[", "image": "x"}),
]
"""Deployments of production that no rule can read: they pass none."""
