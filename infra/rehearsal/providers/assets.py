"""What a command leaves behind as outputs: `assetPaths` gives files, `archivePaths` one archive of files.

Source: pulumi/pulumi-command, provider/pkg/provider/local/commandOutputs.go (globAssets); pulumi/pulumi,
sdk/go/common/resource/archive/archive.go (EnsureHash): an archive's hash is that of a tar file made of it.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.rehearsal.values import ARCHIVE, ASSET, MARK, Value, Values

BLOCK = 512
"""A tar file's unit, in bytes."""


def outputs_of(folder: Path, shown: str, inputs: Values) -> Values:
    """`assets` and `archive`, if they are asked for. `folder`: where the command ran; `shown`: how it is named."""
    found: Values = {}
    if isinstance(globs := inputs.get("assetPaths"), list):
        found["assets"] = {name: _asset(folder, shown, name) for name in _matching(folder, globs)}
    if isinstance(globs := inputs.get("archivePaths"), list):
        found["archive"] = _archive(folder, shown, _matching(folder, globs))
    return found


def _matching(folder: Path, globs: Sequence[Value]) -> list[str]:
    """Paths of files below the folder. A later pattern wins; one with `!` takes away."""
    patterns = [(not str(glob).startswith("!"), _pattern(str(glob).removeprefix("!"))) for glob in globs]
    kept = []
    for name in _files(folder):
        verdicts = [adds for adds, pattern in patterns if pattern.fullmatch(name)]
        if verdicts and verdicts[-1]:
            kept.append(name)
    return kept


def _files(folder: Path) -> Iterator[str]:
    for above, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield str(Path(above, name).relative_to(folder))


_TOKENS = re.compile(r"\*\*|\*|\?|\[!?[^\]]*\]|\{|\}|,|\\.|[^*?\[{},\\]+")
_MEANINGS = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}


def _pattern(glob: str) -> re.Pattern[str]:
    """`*` stays within a folder, `**` does not; `{a,b}` is either."""
    text, depth = "", 0
    for part in _TOKENS.findall(glob):
        depth += {"{": 1, "}": -1}.get(part, 0)
        if part in _MEANINGS:
            text += _MEANINGS[part]
        elif part == "," and depth:
            text += "|"
        elif part.startswith("["):
            text += part.replace("[!", "[^")
        else:
            text += re.escape(part.removeprefix("\\"))
    return re.compile(text)


def _asset(folder: Path, shown: str, name: str) -> Values:
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return {MARK: ASSET, "hash": digest, "path": os.path.normpath(Path(shown, name))}


def _archive(folder: Path, shown: str, names: list[str]) -> Values:
    tar = hashlib.sha256()
    for name in sorted(names):
        content = (folder / name).read_bytes()
        tar.update(_header(name, len(content)) + content + bytes(-len(content) % BLOCK))
    tar.update(bytes(2 * BLOCK))
    assets: Values = {name: _asset(folder, shown, name) for name in names}
    return {MARK: ARCHIVE, "hash": tar.hexdigest(), "assets": assets}


def _header(name: str, size: int) -> bytes:
    """As Go's archive/tar writes it for a name, a size and mode 0600: USTAR, all else zero."""
    if len(name.encode()) > 100 or not name.isascii():
        raise ValueError(f"{name}: an archive's hash is known here only for names of at most 100 ASCII characters")
    zero, time = b"0000000\0", b"00000000000\0"
    fields = name.encode().ljust(100, b"\0") + b"0000600\0" + zero + zero + f"{size:011o}\0".encode() + time
    rest = b"0" + bytes(100) + b"ustar\0" + b"00" + bytes(64) + zero + zero + bytes(155)
    checksum = sum(fields + b" " * 8 + rest)
    return (fields + f"{checksum:06o}\0 ".encode() + rest).ljust(BLOCK, b"\0")
