"""A fault of pulumi-command 1.2.1 that its previews show: an unknown in a deep list is put in the wrong place.

The provider's framework notes where it found unknowns in a path that later elements overwrite whenever Go's `append`
found room behind it: at depths of 4, 6, 7 and 8. Recorded in the vectors 21 and 23; without it, plans differ there.
"""

from infra.rehearsal.values import UNKNOWN, Value, Values, is_secret, is_unknown

OVERWRITTEN_DEPTHS = frozenset({4, 6, 7, 8})


def mislaid(inputs: Values) -> Values:
    """The inputs as that provider reads them. Without unknowns they stay as they are."""
    if not is_unknown(inputs):
        return inputs
    return {key: _read(value, 1) for key, value in inputs.items()}


def _read(value: Value, depth: int) -> Value:
    if isinstance(value, dict) and not is_secret(value):
        return {key: _read(part, depth + 1) for key, part in value.items()}
    if not isinstance(value, list):
        return value
    parts = [_read(part, depth + 1) for part in value]
    if depth + 1 not in OVERWRITTEN_DEPTHS:
        return parts
    found = [part for part in parts if part == UNKNOWN or (is_secret(part) and is_unknown(part))]
    emptied = [_emptied(part) for part in parts]
    return [*emptied[:-1], found[-1]] if found else parts


def _emptied(part: Value) -> Value:
    if part == UNKNOWN:
        return ""
    return None if is_secret(part) and is_unknown(part) else part
