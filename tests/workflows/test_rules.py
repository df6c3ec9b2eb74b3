"""Every workflow keeps every rule, and every rule notices when it is broken."""

import re
from collections.abc import Callable, Iterator

import pytest

from infra.sources import ROOT
from tests.workflows import rules
from tests.workflows.workflow import FOLDER, NAMES, Workflow, read, uses

Rule = Callable[[Workflow], Iterator[str]]


def test_these_are_all_workflows() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(f"{name}.yml" for name in NAMES)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_it_holds(name: str, rule: Rule) -> None:
    assert list(rule(read(name))) == []


BREAKS = [
    (rules.actions_are_pinned_by_the_known_commit, "ci", r"checkout@\w+", "checkout@v7"),
    (rules.actions_are_pinned_by_the_known_commit, "ci", r"checkout@3d", "checkout@4d"),
    (rules.actions_are_pinned_by_the_known_commit, "ci", "actions/checkout", "actions/download-artifact"),
    (rules.actions_are_pinned_by_the_known_commit, "deploy", " # v1.4", " # v1.5"),
    (rules.actions_get_only_inputs_that_they_have, "ci", "enable-cache", "enabled-cache"),
    (rules.permissions_are_the_least, "ci", "permissions: {}\n", ""),
    (rules.permissions_are_the_least, "ci", "permissions: {}", "permissions: write-all"),
    (rules.permissions_are_the_least, "deploy", "contents: read", "contents: write"),
    (rules.permissions_are_the_least, "deploy", "    permissions:\n      contents: read\n", ""),
    (rules.permissions_are_the_least, "drift", "RUN: ", "TOKEN: ${{ secrets.FLY_ACCESS_TOKEN }}\n          RUN: "),
    (rules.permissions_are_the_least, "preview", "contents: read\n", "contents: read\n      pull-requests: write\n"),
    (rules.permissions_are_the_least, "preview", "pull-requests: write", "pull-requests: write\n      contents: read"),
    (rules.permissions_are_the_least, "preview", "PRODUCTION: ", "T: ${{ secrets.T }}\n          PRODUCTION: "),
    (rules.only_main_changes_a_stack, "deploy", r"    if: .*refs/heads/main.*\n", ""),
    (rules.only_main_changes_a_stack, "deploy", "refs/heads/main' }}", "refs/heads/main' || true }}"),
    (rules.only_main_changes_a_stack, "deploy", "    needs: staging\n", ""),
    (
        rules.only_main_changes_a_stack,
        "deploy",
        "    needs: staging\n",
        "    needs: staging\n    if: ${{ always() }}\n",
    ),
    (rules.every_job_ends_in_time, "ci", "    timeout-minutes: 20\n", ""),
    (rules.every_job_ends_in_time, "deploy", "timeout-minutes: 150", "timeout-minutes: 60"),
    (rules.a_stack_has_one_concurrency_group_and_is_never_cancelled, "deploy", "group: stack-staging", "group: deploy"),
    (
        rules.a_stack_has_one_concurrency_group_and_is_never_cancelled,
        "deploy",
        "in-progress: false",
        "in-progress: true",
    ),
    (rules.a_stack_has_one_concurrency_group_and_is_never_cancelled, "drift", "group: stack-", "group: drift-"),
    (
        rules.a_stack_has_one_concurrency_group_and_is_never_cancelled,
        "preview",
        "in-progress: false",
        "in-progress: true",
    ),
    (
        rules.a_stack_has_one_concurrency_group_and_is_never_cancelled,
        "deploy",
        "    concurrency:\n      group: stack-production\n      cancel-in-progress: false\n",
        "",
    ),
    (rules.a_checkout_leaves_no_token_behind, "ci", "          persist-credentials: false\n", ""),
    (rules.a_checkout_leaves_no_token_behind, "deploy", "fetch-depth: 0", "fetch-depth: 1"),
    (rules.nothing_is_pasted_into_a_shell, "preview", r'"\$PULL_REQUEST"', "${{ github.event.pull_request.title }}"),
    (rules.secrets_are_in_the_environment_of_one_step, "deploy", "\njobs:", "\n  T: ${{ secrets.T }}\njobs:"),
    (
        rules.secrets_are_in_the_environment_of_one_step,
        "deploy",
        "    environment: staging\n",
        "    environment: staging\n    env:\n      T: ${{ secrets.T }}\n",
    ),
    (rules.secrets_are_in_the_environment_of_one_step, "deploy", "up --yes", "up -c a=$FLY_ACCESS_TOKEN --yes"),
    (
        rules.secrets_are_in_the_environment_of_one_step,
        "ci",
        "run: make test",
        "run: make test\n        env:\n          T: ${{ secrets.T }}",
    ),
    (rules.scripts_stop_at_the_first_failure, "deploy", "          set -euo pipefail\n", ""),
    (rules.scripts_stop_at_the_first_failure, "deploy", "    shell: bash", "    shell: sh"),
    (rules.forks_get_no_secrets, "preview", "\n      && github.event.pull_request.head.repo.full_name[^}]+}}", " }}"),
    (
        rules.forks_get_no_secrets,
        "preview",
        "full_name == github.repository }}",
        "full_name == github.repository || true }}",
    ),
    (rules.forks_get_no_secrets, "preview", "  pull_request:", "  pull_request_target:"),
    (rules.downloads_are_kept_until_a_lock_changes, "ci", r"requirements/\*.lock", "requirements/dev.txt"),
    (rules.downloads_are_kept_until_a_lock_changes, "ci", "enable-cache: true", "enable-cache: false"),
    (rules.pulumi_gets_only_flags_that_it_has, "deploy", "up --yes", "up --yes --image x"),
    (rules.pulumi_gets_only_flags_that_it_has, "drift", "--preview-only", "--dry-run"),
    (rules.pulumi_gets_only_flags_that_it_has, "deploy", "--non-interactive --stack staging --policy", "--policy"),
    (rules.pulumi_is_interrupted_before_it_is_killed, "deploy", "--signal=INT", "--signal=KILL"),
    (rules.pulumi_is_interrupted_before_it_is_killed, "deploy", r"timeout --signal.*\\\n", ""),
    (rules.pulumi_is_interrupted_before_it_is_killed, "preview", r"timeout --signal.*\\\n", ""),
]


@pytest.mark.parametrize(("rule", "name", "old", "new"), BREAKS, ids=lambda value: getattr(value, "__name__", None))
def test_it_notices(rule: Rule, name: str, old: str, new: str) -> None:
    text = read(name).text
    broken = re.sub(old, lambda match: new, text, count=1)
    assert broken != text
    assert list(rule(Workflow.parse(name, broken)))


def test_every_rule_has_a_break() -> None:
    assert {rule for rule, *_ in BREAKS} == set(rules.RULES)


@pytest.mark.parametrize("name", NAMES)
def test_versions_are_those_of_the_locks(name: str) -> None:
    lock = (ROOT / "requirements/dev.lock").read_text()
    recorded = (ROOT / "tests/infra/deploy/facts/flyctl-flags.json").read_text()
    for job in read(name).jobs.values():
        for step in uses(job, "pulumi/actions"):
            assert f"\npulumi=={step['with']['pulumi-version']} " in lock
        for step in uses(job, "astral-sh/setup-uv"):
            assert f"\nuv=={step['with']['version']} " in lock
        for step in uses(job, "actions/setup-python"):
            assert step["with"]["python-version"] == "3.11"
        for step in uses(job, "superfly/flyctl-actions/setup-flyctl"):
            assert f"flyctl {step['with']['version']} " in recorded
