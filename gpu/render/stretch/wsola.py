"""Makes the output step by step: a copy as long as it keeps its place, a splice, or the way over an onset."""

from collections.abc import Generator, Iterator, Sequence

from gpu.plan.render_plan import SoundPiece, SoundRange
from gpu.render.reader import Samples
from gpu.render.stretch.aim import Aim
from gpu.render.stretch.ear import Ear
from gpu.render.stretch.onset import AFTER_ONSET, BEFORE_ONSET, ONSET_OFF, Onset
from gpu.render.stretch.onsets import Onsets
from gpu.render.stretch.splice import SHORTEST_FADE, Block, best_splice, spliced
from gpu.render.stretch.tape import Tape

_MARGIN = 4096


def reach(pieces: Sequence[SoundPiece]) -> SoundRange:
    """The samples of the source that `stretched` wants: the pieces, and a little before them to compare with."""
    first, last = pieces[0].source, pieces[-1].source
    start = first.start_sample - _MARGIN
    return SoundRange(start, last.start_sample + last.sample_count - start)


def stretched(pieces: Sequence[SoundPiece], sound: Iterator[Samples]) -> Generator[Samples]:
    """Each piece's range on its `count` samples, without a gap or a click between them, in blocks of shape (2, n).

    `sound` holds `reach(pieces)`, contiguous; what it lacks is silence. Raises ValueError when pieces go back in the
    source.
    """
    aim, tape = Aim(pieces), Tape(reach(pieces).start_sample, sound)
    onsets = Onsets(aim, Ear(tape, reach(pieces).start_sample))
    written, place = 0, aim.begin
    while written < aim.count:
        onset = onsets.next_after(written)
        fade = onsets.fade_until(onset)
        if onset is not None and onset.steps_before(written, fade) < 1:
            block = _led_to(onset, aim, tape, fade, written, place)
            onsets.leave(heard=block is not None)
            if block is None:
                continue
        elif steps := aim.steps_on_course(written, place, fade, onset):
            block = Block(tape.read(place, steps * fade), place + steps * fade)
        else:
            lowest, highest = aim.splices(written, fade, onsets.last, onset)
            chosen = best_splice(tape, place, fade, range(lowest, highest + 1), aim.speed(written + fade / 2) > 1)
            block = spliced(tape, place, chosen, fade, fade)
        yield block.samples[:, : aim.count - written]
        written += block.samples.shape[1]
        place = block.place
        done = min(place, aim.earliest(written)) - _MARGIN
        tape.forget(done)
        onsets.forget(done)


def _led_to(onset: Onset, aim: Aim, tape: Tape, fade: int, written: int, place: int) -> Block | None:
    """Up to and over the onset, which comes when it is due; None where it would be heard twice or cut."""
    if onset.place + AFTER_ONSET + SHORTEST_FADE > aim.end:
        return None
    left = onset.due - written
    start = onset.place - left
    count = left + AFTER_ONSET
    if abs(place - start) <= ONSET_OFF:
        return Block(tape.read(place, count), place + count)
    fade = min(fade, left - BEFORE_ONSET, onset.place - place)
    if fade < SHORTEST_FADE:
        return None
    lowest, highest = (max(start + off, aim.begin) for off in (-ONSET_OFF, ONSET_OFF))
    chosen = best_splice(tape, place, fade, range(lowest, highest + 1), False)
    return spliced(tape, place, chosen, fade, count)
