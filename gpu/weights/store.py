"""The folder of weights: filled when an image is built, checked again whenever weights are loaded."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from gpu.weights.download import content_of, download
from gpu.weights.lock import LOCK, Weight, WeightsError, chosen, measured, read_lock, write_lock

VARIABLE = "WEIGHTS_DIR"
"""Where the image keeps its weights."""

Say = Callable[[str], None]


def fetch(directory: Path, names: Sequence[str] = (), *, lock: Path = LOCK, say: Say = lambda _: None) -> list[Path]:
    """Downloads the named weights, or all of them, into `directory`; those that are there already stay.

    Raises WeightsError: before anything is downloaded when one of them has no verified hash.
    """
    weights = chosen(read_lock(lock), names)
    for weight in weights:
        measured(weight)
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for weight in weights:
        path = directory / weight.file
        if not _is_intact(path, weight):
            download(weight, path)
            say(f"{weight.name}: fetched, {weight.bytes} bytes, sha256 {weight.sha256}")
        paths.append(path)
    return paths


def relock(names: Sequence[str] = (), *, lock: Path = LOCK, say: Say = lambda _: None) -> tuple[Weight, ...]:
    """Measures the named weights, or all of them, at their sources and writes the lock, of which the rest stays.

    An entry that is verified already must still be the same file. Raises WeightsError; the lock is as before then.
    """
    weights = read_lock(lock)
    found: dict[str, Weight] = {}
    with TemporaryDirectory(prefix="weights-") as folder:
        for weight in chosen(weights, names):
            path = Path(folder) / weight.file
            content = download(weight, path)
            path.unlink()
            found[weight.name] = weight.model_copy(update={"sha256": content.sha256, "bytes": content.bytes})
            say(f"{weight.name}: {content.bytes} bytes, sha256 {content.sha256}")
    updated = tuple(found.get(weight.name, weight) for weight in weights)
    write_lock(updated, lock)
    return updated


def verified(name: str, directory: Path | None = None, *, lock: Path = LOCK) -> Path:
    """The path of the named weights, whose size and hash have just been checked; raises WeightsError.

    Without `directory` it is the one in WEIGHTS_DIR.
    """
    (weight,) = chosen(read_lock(lock), [name])
    measured(weight)
    path = (directory or _configured()) / weight.file
    if not path.is_file():
        raise WeightsError(f"{name} is not in {path.parent}; `python -m gpu.weights fetch` puts it there")
    if not _is_intact(path, weight):
        raise WeightsError(f"{path} is not the file that the lock has for {name}; fetch it again")
    return path


def _is_intact(path: Path, weight: Weight) -> bool:
    if not path.is_file() or path.stat().st_size != weight.bytes:
        return False
    return content_of(path).sha256 == weight.sha256


def _configured() -> Path:
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise WeightsError(f"{VARIABLE} does not say where the weights are")
    return Path(folder)
