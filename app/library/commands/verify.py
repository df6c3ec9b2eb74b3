"""`verify`: reads the whole log of a library and prints what is wrong with it."""

from app.kit.owner import Owner
from app.library.commands.desk import FINE, REFUSED, Desk
from app.library.verify import Verification


async def run(desk: Desk, owner: Owner) -> int:
    """1 when anything is wrong."""
    verification = Verification(desk.objects, desk.keys, owner)
    found = 0
    async for finding in verification.findings():
        found += 1
        desk.say(f"version {finding.version}: {finding.what} -> {finding.advice}")
    verdict = f"{found:,} findings" if found else "sound"
    desk.say(f"library {owner.user_id}/{owner.profile_id}: {verification.checked:,} records read, {verdict}")
    return REFUSED if found else FINE
