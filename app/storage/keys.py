"""Every object key of the backend. All begin with the environment; user parts come from a parsed Owner only."""

import re

from app.kit.owner import Owner, parse_owner

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_LOG_NAME = re.compile(r"(?!0{16})[0-9]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_INVERSION = 10**16


class Keys:
    """The key space of one environment (`development`, `staging`, any label)."""

    def __init__(self, app_env: str) -> None:
        self._env = _checked(app_env)

    def media(self, owner: Owner, media_id: str) -> str:
        return f"{self._library_root(owner)}/media/{_checked(media_id)}"

    def render(self, owner: Owner, recipe_sha256: str, export_id: str) -> str:
        """One object for each recipe and export: a later export never overwrites a finished reel."""
        if not _SHA256.fullmatch(recipe_sha256):
            raise ValueError(f"{recipe_sha256[:80]!r} is no SHA-256 in hex")
        return f"{self._library_root(owner)}/renders/{recipe_sha256}/{_checked(export_id)}.mp4"

    def user_prefix(self, user_id: str) -> str:
        """All that a user has, but for the markers of unfinished jobs."""
        return f"{self._env}/users/{parse_owner(user_id, user_id).user_id}/"

    def profile_prefix(self, owner: Owner) -> str:
        return f"{self._library_root(owner)}/"

    def profile_id(self, key: str) -> str:
        """Of a key below `profile_prefix`; raises ValueError for another key."""
        env, users, user_id, profiles, profile_id, *rest = key.split("/")
        if (env, users, profiles) != (self._env, "users", "profiles") or not rest:
            raise ValueError(f"{key[:200]!r} belongs to no profile")
        return parse_owner(user_id, profile_id).profile_id

    def library_prefix(self, owner: Owner) -> str:
        return f"{self._library_root(owner)}/library/"

    def legacy_database(self, owner: Owner) -> str:
        """Where the plan before this one kept the whole library."""
        return f"{self._library_root(owner)}/database.sqlite"

    def log_prefix(self, owner: Owner, generation: int) -> str:
        return f"{self.library_prefix(owner)}{generation}/log/"

    def log_record(self, owner: Owner, generation: int, seq: int) -> str:
        """Inverted number, so that a listing gives the newest record first."""
        if not 0 < seq < _INVERSION:
            raise ValueError(f"record number {seq} is outside 1..{_INVERSION - 1}")
        return f"{self.log_prefix(owner, generation)}{_INVERSION - seq:016d}"

    def log_seq(self, key: str) -> int:
        """The record number of a key that `log_record` made; raises ValueError for another."""
        name = key.rpartition("/")[2]
        if not _LOG_NAME.fullmatch(name):
            raise ValueError(f"{key[:200]!r} is no record's key")
        return _INVERSION - int(name)

    @property
    def pending_prefix(self) -> str:
        return f"{self._env}/jobs/pending/"

    def pending_job(self, owner: Owner, kind: str, job_id: str) -> str:
        return f"{self.pending_prefix}{owner.user_id}/{owner.profile_id}/{_checked(kind)}/{_checked(job_id, _JOB_ID)}"

    def parse_pending_job(self, key: str) -> tuple[Owner, str, str]:
        """Owner, kind and id; raises ValueError for a key that `pending_job` did not make."""
        user_id, profile_id, kind, job_id = key.removeprefix(self.pending_prefix).split("/")
        return parse_owner(user_id, profile_id), _checked(kind), _checked(job_id, _JOB_ID)

    def startup_probe(self, nonce: str) -> str:
        return f"{self._env}/startup-probe/{_checked(nonce)}"

    def _library_root(self, owner: Owner) -> str:
        user_id, profile_id = parse_owner(*owner)
        return f"{self._env}/users/{user_id}/profiles/{profile_id}"


def _checked(part: str, form: re.Pattern[str] = _ID) -> str:
    if not form.fullmatch(part):
        raise ValueError(f"{part[:80]!r} cannot be part of an object key")
    return part
