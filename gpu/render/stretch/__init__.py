"""Plays ranges of a source faster or slower at their pitch, sample by sample where the plan puts them.

Sound is copied until it would leave its place, then cross-faded to a place near the planned one that sounds like what
was about to come: overlap-add by waveform similarity (WSOLA, Verhelst and Roelands, ICASSP 1993), but only where it is
needed, so a range at its own speed is a copy. Places come from the plan's sums and not from the splice before, so
errors never add up over ranges; a splice goes over their seams as over any other place. Nothing from before the first
range or behind the last one is heard.

Where sound suddenly gets loud, as with a kick or a whistle, it is copied around that moment, which comes within 4 ms
of its place at 0.25x to 4x, and once: no splice reads past it before it is due or back to it afterwards. What gets
louder slowly, or hardly, is within 25 ms, and so is what follows a codec's loud pre-echo. Of moments less than 16 ms of
the source or 10 ms of the result apart only the first or the loudest is looked after; of a retimed clip's first and
last 7 ms none is. Below 0.35x chords of low notes sound rough: a longer search would make them smooth and miss their
places.
"""

from gpu.render.stretch.wsola import reach, stretched

__all__ = ["reach", "stretched"]
