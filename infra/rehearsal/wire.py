"""Between protobuf's Struct and property values. Struct has no integers, so whole numbers come back as int."""

import hashlib
from pathlib import Path
from typing import cast

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from infra.rehearsal.values import ASSETS, MARK, Value, Values


def load(struct: Struct) -> Values:
    return {key: _tidy(part) for key, part in cast(Values, json_format.MessageToDict(struct)).items()}


def dump(values: Values) -> Struct:
    return json_format.ParseDict(values, Struct())


def _tidy(value: Value) -> Value:
    if isinstance(value, dict):
        tidy = {key: _tidy(part) for key, part in value.items()}
        if value.get(MARK) in ASSETS and isinstance(path := value.get("path"), str):
            tidy["hash"] = _digest(Path(path))
        return tidy
    if isinstance(value, list):
        return [_tidy(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _digest(root: Path) -> str:
    """One hash over a file, or over a folder's files and their names: assets are compared by content, not by path."""
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
    lines = (f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
