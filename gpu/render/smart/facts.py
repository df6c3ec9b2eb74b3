"""What of a source decides whether its packets can be copied into a result that keeps the promises of `gates`."""

from dataclasses import dataclass

from gpu.render.media import Media
from gpu.render.picture import BT709, normalised
from gpu.render.smart.parameters import BASELINE, HIGH, MAIN, ParameterError, ParameterSets, read_record
from gpu.render.smart.reason import NotCopyable, Reason
from gpu.render.timing import Grid

_UNSPECIFIED = 2


@dataclass(frozen=True)
class SourceFacts:
    """`primaries` and `transfer` are the numbers of ITU-T H.273; `converted` says that the exact path changes colours.

    `sets` is None when they cannot be read.
    """

    container: str
    codec: str
    indexed: bool
    pixel_format: str
    primaries: int
    transfer: int
    converted: bool
    turned: bool
    interlaced: bool
    square_pixels: bool
    variable_rate: bool
    sets: ParameterSets | None


def source_facts(media: Media, grid: Grid) -> SourceFacts:
    """Reads nothing of the file."""
    context, first = media.video.codec_context, media.first
    shapes = {media.video.sample_aspect_ratio, context.sample_aspect_ratio}
    return SourceFacts(
        container=media.container.format.name,
        codec=context.codec.canonical_name,
        indexed=0 < media.video.frames <= len(media.video.index_entries),
        pixel_format=first.format.name,
        primaries=first.color_primaries,
        transfer=first.color_trc,
        converted=normalised(first) is not first,
        turned=bool(media.rotation) or media.mirrored,
        interlaced=media.interlaced,
        square_pixels=all(not shape or shape == 1 for shape in shapes),
        variable_rate=grid.variable,
        sets=_sets(context.extradata or b""),
    )


def can_be_copied(facts: SourceFacts) -> Reason | None:
    """The first reason against copying, or None. Where the clip's keyframes lie is `closed`'s matter."""
    if facts.codec != "h264":
        return Reason.CODEC
    if "mp4" not in facts.container.split(","):
        return Reason.CONTAINER
    if not facts.indexed:
        return Reason.INDEX
    if facts.sets is None:
        return Reason.PARAMETER_SETS
    return _reason_against_sequence(facts.sets) or _reason_against_pictures(facts)


def parameter_sets(facts: SourceFacts) -> ParameterSets:
    """The sets of a source that can be copied; raises NotCopyable."""
    reason = can_be_copied(facts)
    if reason is not None or facts.sets is None:
        raise NotCopyable(reason or Reason.PARAMETER_SETS)
    return facts.sets


def _reason_against_sequence(sets: ParameterSets) -> Reason | None:
    sequences = sets.sequences
    if any(one.profile not in (BASELINE, MAIN, HIGH) for one in sequences):
        return Reason.PROFILE
    if any(one.profile != sequences[0].profile for one in sequences):
        return Reason.PARAMETER_SETS
    if not all(one.progressive for one in sequences):
        return Reason.INTERLACED
    return None


def _reason_against_pictures(facts: SourceFacts) -> Reason | None:
    if facts.pixel_format not in ("yuv420p", "yuvj420p"):
        return Reason.PIXELS
    if facts.converted or not {facts.primaries, facts.transfer} <= {BT709, _UNSPECIFIED}:
        return Reason.COLOUR
    if facts.interlaced:
        return Reason.INTERLACED
    if facts.turned:
        return Reason.TURNED
    if not facts.square_pixels:
        return Reason.PIXEL_SHAPE
    return Reason.VARIABLE_RATE if facts.variable_rate else None


def _sets(record: bytes) -> ParameterSets | None:
    """None for a record that cannot be read, its sets included."""
    try:
        sets = read_record(record)
        sets.free_number()
    except ParameterError:
        return None
    return sets
