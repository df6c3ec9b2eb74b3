"""What must hold of every workflow; a rule yields a sentence for each place where it is broken."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.workflows.workflow import Json, Workflow, commands, has_secrets, resolved, runs, stacks, uses

HERE = Path(__file__).parent
ACTIONS: dict[str, Json] = json.loads((HERE / "actions.json").read_text())
PULUMI_FLAGS: dict[str, list[str]] = json.loads((HERE / "pulumi_flags.json").read_text())

WRITES = {("preview", "comment"): {"pull-requests"}, ("drift", "report"): {"issues"}}
READS = {"contents", "actions"}
NOT_A_FORK = "github.event.pull_request.head.repo.full_name == github.repository"
LOCKS = {"requirements/*.lock", "app/web/package-lock.json"}
CHANGES_A_STACK = re.compile(r"\bpulumi (up|destroy|refresh)\b|infra\.release roll-back")
DEPLOYS = re.compile(r"\bpulumi (up|destroy)\b|infra\.release roll-back")
ON_MAIN = "${{ github.ref == 'refs/heads/main' }}"
RULES: list[Callable[[Workflow], Iterator[str]]] = []


def rule(check: Callable[[Workflow], Iterator[str]]) -> Callable[[Workflow], Iterator[str]]:
    RULES.append(check)
    return check


@rule
def actions_are_pinned_by_the_known_commit(workflow: Workflow) -> Iterator[str]:
    for job, step in workflow.steps():
        name, _, commit = step.get("uses", "").partition("@")
        if name and ACTIONS.get(name, {}).get("commit") != commit:
            yield f"{job} uses {step['uses']}"
    for name, commit, tag in re.findall(r"uses: (\S+)@(\S+) # (v[\d.]+)", workflow.text):
        if ACTIONS.get(name, {}).get("tag") != tag:
            yield f"{name}@{commit} is not {tag}"
    unnamed = re.findall(r"uses: (\S+)\s*$", workflow.text, re.MULTILINE)
    yield from (f"{each} does not say its version" for each in unnamed)


@rule
def actions_get_only_inputs_that_they_have(workflow: Workflow) -> Iterator[str]:
    for job, step in workflow.steps():
        if "uses" in step:
            known = ACTIONS.get(step["uses"].partition("@")[0], {}).get("inputs", [])
            yield from (f"{job}: {step['uses']} has no input {name}" for name in step.get("with", {}).keys() - known)


@rule
def permissions_are_the_least(workflow: Workflow) -> Iterator[str]:
    if workflow.document.get("permissions") != {}:
        yield "the workflow itself has permissions"
    for name, job in workflow.jobs.items():
        allowed = WRITES.get((workflow.name, name), set())
        for scope, level in job.get("permissions", {"missing": "write"}).items():
            if scope not in {"read": READS, "write": allowed}.get(level, ()):
                yield f"{name} has {scope}: {level}"
        if allowed and (has_secrets(job) or uses(job, "actions/checkout") or len(job["permissions"]) > 1):
            yield f"{name} writes, and has secrets, the repository's code or more permissions"


@rule
def every_job_ends_in_time(workflow: Workflow) -> Iterator[str]:
    for name, job in workflow.jobs.items():
        limit = job.get("timeout-minutes")
        if not isinstance(limit, int) or limit > 150:
            yield f"{name} has the limit {limit}"
        steps = sum(step.get("timeout-minutes", 0) for step in job["steps"])
        if isinstance(limit, int) and steps > limit:
            yield f"{name} ends before its steps may"


@rule
def a_stack_has_one_concurrency_group_and_is_never_cancelled(workflow: Workflow) -> Iterator[str]:
    for name, job in workflow.jobs.items():
        group = job.get("concurrency", {})
        for stack in stacks(job):
            text = resolved(runs(job), stack)
            if CHANGES_A_STACK.search(text):
                touched = set(re.findall(r"(?:--stack|-s) \"?(\w+)", text))
                if {resolved(str(group.get("group")), stack)} != {f"stack-{each}" for each in touched}:
                    yield f"{name} touches {touched} in the group {group.get('group')}"
                if group.get("cancel-in-progress") is not False:
                    yield f"{name} may be cancelled half way"
        if "infra.deploy" in runs(job) and group.get("cancel-in-progress") is not False:
            yield f"{name} deploys and may be cancelled half way"
        if not group and "concurrency" not in workflow.document and has_secrets(job):
            yield f"{name} is in no concurrency group"


@rule
def only_main_changes_a_stack(workflow: Workflow) -> Iterator[str]:
    """A run by hand may name any branch; a job that needs one that refuses it is skipped too."""
    safe: set[str] = set()
    for name, job in workflow.jobs.items():
        needed = job.get("needs", [])
        before = {needed} if isinstance(needed, str) else set(needed)
        if job.get("if") == ON_MAIN or ("if" not in job and before & safe):
            safe.add(name)
        elif DEPLOYS.search(runs(job)):
            yield f"{name} changes a stack from any branch"


@rule
def a_checkout_leaves_no_token_behind(workflow: Workflow) -> Iterator[str]:
    for name, job in workflow.jobs.items():
        for step in uses(job, "actions/checkout"):
            options = step.get("with") or {}
            if options.get("persist-credentials") is not False:
                yield f"{name} leaves its token in .git/config"
            if "roll-back" in runs(job) and options.get("fetch-depth") != 0:
                yield f"{name} rolls back and has no history"


@rule
def nothing_is_pasted_into_a_shell(workflow: Workflow) -> Iterator[str]:
    """An expression in a script is its text before the shell reads it: a title or a branch name would be run."""
    for job, step in workflow.steps():
        for script in (step.get("run", ""), step.get("with", {}).get("script", "")):
            if "${{" in script:
                yield f"{job}: {script.strip().splitlines()[0]}"


@rule
def secrets_are_in_the_environment_of_one_step(workflow: Workflow) -> Iterator[str]:
    outside = {**workflow.document, "jobs": None}
    if has_secrets(outside):
        yield "the whole workflow sees a secret"
    for name, job in workflow.jobs.items():
        if has_secrets({**job, "steps": None}):
            yield f"all steps of {name} see a secret"
        for step in job["steps"]:
            if has_secrets({**step, "env": None}):
                yield f"{name}: a secret is no environment variable"
            held = [variable for variable, value in step.get("env", {}).items() if has_secrets(value)]
            for variable in held:
                if re.search(rf"\$\{{?{variable}\b", step.get("run", "")):
                    yield f"{name}: {variable} is in an argument"
            if held and not re.search(r"pulumi|infra\.|make doctor", f"{step.get('run')}{step.get('uses')}"):
                yield f"{name}: a step has secrets that it does not need"


@rule
def scripts_stop_at_the_first_failure(workflow: Workflow) -> Iterator[str]:
    if any("run" in step for _, step in workflow.steps()):
        shell = workflow.document.get("defaults", {}).get("run", {}).get("shell")
        if shell != "bash":
            yield f"the shell is {shell}"
    for job, step in workflow.steps():
        script = step.get("run", "")
        plain = len(script.strip().splitlines()) <= 1 and not re.search(r"[$|<>;&]", script)
        if not plain and not script.startswith("set -euo pipefail\n"):
            yield f"{job}: {script.strip().splitlines()[0]}"


@rule
def forks_get_no_secrets(workflow: Workflow) -> Iterator[str]:
    """GitHub gives them none; a job that needs some would only fail there. `pull_request_target` would give them."""
    if "pull_request_target" in workflow.triggers or "workflow_run" in workflow.triggers:
        yield "it runs for forks with the rights of this repository"
    for name, job in workflow.jobs.items():
        if "pull_request" in workflow.triggers and has_secrets(job):
            condition = str(job.get("if", ""))
            if NOT_A_FORK not in condition or "||" in condition:
                yield f"{name} has secrets and runs for forks"


@rule
def downloads_are_kept_until_a_lock_changes(workflow: Workflow) -> Iterator[str]:
    for name, job in workflow.jobs.items():
        if re.search(r"^make (setup|check|test|coverage)", runs(job), re.MULTILINE):
            caches = [step["with"] for step in uses(job, "astral-sh/setup-uv")]
            globs = [set(cache.get("cache-dependency-glob", "").split()) for cache in caches]
            if globs != [LOCKS] or caches[0].get("enable-cache") is not True:
                yield f"{name} caches by {globs}"


@rule
def pulumi_gets_only_flags_that_it_has(workflow: Workflow) -> Iterator[str]:
    for name, job in workflow.jobs.items():
        for words in commands(runs(job), "pulumi"):
            yield from (f"{name}: {complaint}" for complaint in unknown_flags(words))
            if "--stack" not in words or "--non-interactive" not in words:
                yield f"{name}: pulumi {words[0]} may ask or take another stack"


def unknown_flags(words: list[str]) -> list[str]:
    """Of one `pulumi` command line; a verb that is not in the table has none."""
    verb = " ".join(words[:2]) if words[0] in ("stack", "config") else words[0]
    flags = ["--stack" if word == "-s" else word.partition("=")[0] for word in words if word.startswith("-")]
    return [f"pulumi {verb} has no {flag}" for flag in flags if flag not in PULUMI_FLAGS.get(verb, [])]


@rule
def pulumi_is_interrupted_before_it_is_killed(workflow: Workflow) -> Iterator[str]:
    """Killed, it leaves its lock and pending operations behind."""
    for job, step in workflow.steps():
        for words in commands(step.get("run", ""), "timeout"):
            if "pulumi" in words and "--signal=INT" not in words:
                yield f"{job}: {' '.join(words[:4])}"
        joined = step.get("run", "").replace("\\\n", " ")
        if re.search(r"^\s*pulumi (up|refresh|preview)", joined, re.MULTILINE):
            yield f"{job}: pulumi has no time limit of its own"
