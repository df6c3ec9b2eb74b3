"""`flyctl certs add|list|show|check|remove`."""

from typing import Any

from infra.localcloud.fly.flyctl.errors import CommandError
from infra.localcloud.fly.flyctl.run import Run
from infra.localcloud.fly.flyctl.when import ago, from_now


def add(run: Run) -> None:
    host = _hostname(run)
    with run.machines("failed to create ACME certificate: ", f"POST /v1/apps/{run.app}/certificates/acme"):
        certificate = run.call("POST", "/certificates", {"hostname": host})
    if run.flags.on("--json"):
        run.show(certificate)
        return
    run.say(f"✓ Certificate created for {host}\n\nRecommended DNS setup:")
    for kind in ("a", "aaaa"):
        for address in certificate["dns_requirements"][kind]:
            run.say(f"  {kind.upper():4} {host} → {address}")
    run.say(f"\nRun fly certs check {host} to check validation progress.")
    run.say(f"Run fly certs setup {host} for alternative DNS setups.")


def list_all(run: Run) -> None:
    with run.machines("failed to list certificates: ", f"GET /v1/apps/{run.app}/certificates?limit=50"):
        certificates = run.call("GET", "/certificates")
    if run.flags.on("--json"):
        run.show(certificates)
        return
    run.say(f"{'HOSTNAME':30} {'SOURCE':10} STATUS")
    for certificate in certificates:
        run.say(f"{certificate['hostname']:30} {'Fly':10} {'Issued' if certificate['configured'] else 'Not verified'}")


def show(run: Run) -> None:
    """`certs check` is the same command."""
    host = _hostname(run)
    with run.machines("failed to check certificate: ", f"POST /v1/apps/{run.app}/certificates/{host}/check"):
        certificate = run.call("GET", f"/certificates/{host}")
    if run.flags.on("--json"):
        run.show(certificate)
    else:
        _describe(run, certificate)


def remove(run: Run) -> None:
    host = _hostname(run)
    if not run.flags.on("--yes"):
        raise CommandError("prompt: non interactive")
    with run.machines("failed to delete certificate: ", f"DELETE /v1/apps/{run.app}/certificates/{host}"):
        run.call("DELETE", f"/certificates/{host}")
    run.say(f"✓ Certificate {host} deleted from app {run.app}")


def _describe(run: Run, certificate: dict[str, Any]) -> None:
    issued, made = certificate["configured"], certificate["certificates"][0]
    facts = {"Status": "Issued" if issued else "Issuing...", "Hostname": certificate["hostname"]}
    if issued:
        facts["Certificate Authority"] = "Let's Encrypt"
        facts["Issued"] = ",".join(each["type"] for each in made["issued"])
    facts["Added to App"] = ago(made["created_at"])
    if issued:
        facts["Expires"] = from_now(made["expires_at"])
    for name, value in facts.items():
        run.say(f"  {name:23} = {value}")
    if issued:
        run.say("\n✓ Certificate is verified and active")
        return
    for problem in certificate["validation_errors"]:
        run.say(f"\n! {problem['message']}\n  {problem['remediation']}")
    run.say(f"\nRun fly certs setup {certificate['hostname']} to view DNS setup instructions.")


def _hostname(run: Run) -> str:
    _ = run.app
    if len(run.arguments) != 1:
        raise CommandError(f"accepts 1 arg(s), received {len(run.arguments)}")
    return run.arguments[0]
