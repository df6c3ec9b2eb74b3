"""`flyctl config validate`."""

from infra.localcloud.fly.flyctl.document import Document, InvalidDocumentError
from infra.localcloud.fly.flyctl.errors import CommandError
from infra.localcloud.fly.flyctl.run import NO_APP_NAME, Run


def validate(run: Run) -> None:
    _ = run.api
    try:
        document = run.document()
    except FileNotFoundError:
        raise CommandError(NO_APP_NAME) from None
    try:
        document.check_types()
    except InvalidDocumentError as error:
        run.note(f"WARN WARNING the config file at '{document.name}' is not valid: {error}")
        raise CommandError(str(error)) from error
    _ = run.app
    run.say(f"Validating {document.name}")
    report_problems(run, document)
    run.say("✓ Configuration is valid\n")
    unknown = document.unknown_keys() if run.flags.on("--strict") else []
    if unknown:
        run.say("\nStrict validation found unrecognised sections or keys:")
        run.say("\n".join(f"  - {key}" for key in unknown) + "\n\n")
        raise CommandError("strict validation failed")


def report_problems(run: Run, document: Document) -> None:
    problems = document.problems()
    for problem in problems:
        run.say(problem)
    if problems:
        run.say("   ✘invalid app configuration")
        raise CommandError("App configuration is not valid")
