"""One name for the content of a built site."""

import hashlib
from pathlib import Path


def site_digest(site: Path) -> str:
    """SHA-256 in hex over names and contents of all files; where the folder is and when it was written do not count."""
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    digest = hashlib.sha256()
    for name in sorted(files):
        content = files[name].read_bytes()
        digest.update(b"%d %s %d " % (len(name.encode()), name.encode(), len(content)))
        digest.update(content)
    return digest.hexdigest()
