"""Between protobuf's Struct and property values. Struct has no integers, so whole numbers come back as int."""

import hashlib
from pathlib import Path
from typing import cast

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from google.protobuf.struct_pb2 import Value as StructValue

from infra.rehearsal.values import ASSETS, MARK, Value, Values


def load(struct: Struct) -> Values:
    return {key: _tidy(part) for key, part in cast(Values, json_format.MessageToDict(struct)).items()}


def load_value(value: StructValue) -> Value:
    """None for one that is not set."""
    return _tidy(cast(Value, json_format.MessageToDict(value))) if value.WhichOneof("kind") else None


def dump(values: Values) -> Struct:
    return json_format.ParseDict(values, Struct())


def _tidy(value: Value) -> Value:
    if isinstance(value, dict):
        tidy = {key: _tidy(part) for key, part in value.items()}
        if value.get(MARK) in ASSETS and "hash" not in tidy:
            tidy |= _digest(value)
        return tidy
    if isinstance(value, list):
        return [_tidy(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _digest(value: Values) -> Values:
    """Assets are compared by content: SHA-256 of a text or file; of a folder's files and their names."""
    if isinstance(text := value.get("text"), str):
        return {"hash": hashlib.sha256(text.encode()).hexdigest()}
    if isinstance(path := value.get("path"), str):
        root = Path(path)
        if not root.is_dir():
            return {"hash": hashlib.sha256(root.read_bytes()).hexdigest()}
        files = sorted(path for path in root.rglob("*") if path.is_file())
        lines = (f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files)
        return {"hash": hashlib.sha256("\n".join(lines).encode()).hexdigest()}
    return {}
