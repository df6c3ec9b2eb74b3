"""What `pulumi` says of a stack that is up, and how to look at a step that ran."""

from tests.workflows.runner import Ran

IMAGE = "registry.fly.io/reel-ballers-api-staging@sha256:" + "a" * 64
SITE = "d" * 64
OUTPUTS = {"image": IMAGE, "site_digest": SITE, "verify_token": "token-of-the-test"}
UPDATE = {"kind": "update", "result": "succeeded", "environment": {"git.head": "b" * 40, "git.dirty": "false"}}


def ok(ran: Ran) -> str:
    assert ran.status == 0, ran.said
    return ran.said
