"""The order in which a line's characters stand from left to right: the Unicode bidirectional algorithm (UAX 9).

Reduced to what a caption needs: characters that embed or isolate a direction and marks without width are expected to
be gone, a line is resolved by itself, brackets are neutral like other signs (no rule N0). Letters are not joined.
"""

import unicodedata

_RIGHT_TO_LEFT = {"R", "AL"}
_STRONG = {"L", "R", "AL"}
_AS_RIGHT = {"R", "EN", "AN"}
_MIRRORED = str.maketrans("()[]{}<>«»‹›≤≥", ")(][}{><»«›‹≥≤")


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction of its own is of a script that runs leftwards (rules P2 and P3)."""
    strong = (kind for kind in map(unicodedata.bidirectional, text) if kind in _STRONG)
    return next(strong, "L") in _RIGHT_TO_LEFT


def visual_order(line: str, right_to_left: bool) -> str:
    """`line`, written in reading order, as its characters stand from left to right."""
    kinds = [unicodedata.bidirectional(char) or "ON" for char in line]
    if not right_to_left and not {"R", "AL", "AN"}.intersection(kinds):
        return line
    base = "R" if right_to_left else "L"
    _resolve_numbers(kinds, base)
    _resolve_neutrals(kinds, base)
    levels = [_level(kind, right_to_left) for kind in kinds]
    return _reordered(line, levels)


def _resolve_numbers(kinds: list[str], base: str) -> None:
    """Rules W2 to W5 and W7; what is no part of a number then counts as neutral (W6)."""
    strong = base
    for index, kind in enumerate(kinds):
        if kind in _STRONG:
            strong = kind
        elif kind == "EN" and strong == "AL":
            kinds[index] = "AN"
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]
    _join_separators(kinds)
    strong = base
    for index, kind in enumerate(kinds):
        if kind in _STRONG:
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[index] = "L"


def _join_separators(kinds: list[str]) -> None:
    """Rules W4 and W5: a separator within a number and the signs around one are part of it."""
    for index in range(1, len(kinds) - 1):
        before, kind, after = kinds[index - 1 : index + 2]
        if before == after and ((kind == "CS" and before in ("EN", "AN")) or (kind == "ES" and before == "EN")):
            kinds[index] = before
    for indices in (range(1, len(kinds)), range(len(kinds) - 2, -1, -1)):
        step = indices.step
        for index in indices:
            if kinds[index] == "ET" and kinds[index - step] == "EN":
                kinds[index] = "EN"


def _resolve_neutrals(kinds: list[str], base: str) -> None:
    """Rules N1 and N2: neutral characters go with both neighbours if those agree, else with the line."""
    start = 0
    while start < len(kinds):
        if kinds[start] in ("L", "R", "EN", "AN"):
            start += 1
            continue
        end = start
        while end < len(kinds) and kinds[end] not in ("L", "R", "EN", "AN"):
            end += 1
        before = _direction(kinds[start - 1]) if start else base
        after = _direction(kinds[end]) if end < len(kinds) else base
        kinds[start:end] = [before if before == after else base] * (end - start)
        start = end


def _direction(kind: str) -> str:
    return "R" if kind in _AS_RIGHT else "L"


def _level(kind: str, right_to_left: bool) -> int:
    """Rules I1 and I2."""
    if right_to_left:
        return 1 if kind == "R" else 2
    return {"L": 0, "R": 1}.get(kind, 2)


def _reordered(line: str, levels: list[int]) -> str:
    """Rules L2 and L4."""
    chars = [char.translate(_MIRRORED) if level % 2 else char for char, level in zip(line, levels, strict=True)]
    for lowest in (2, 1):
        start = 0
        while start < len(levels):
            end = start
            while end < len(levels) and levels[end] >= lowest:
                end += 1
            chars[start:end] = chars[start:end][::-1]
            levels[start:end] = levels[start:end][::-1]
            start = end + 1
    return "".join(chars)
