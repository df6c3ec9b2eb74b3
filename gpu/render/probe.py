"""What a file is: the facts that plans are made from."""

from typing import Literal, cast

from gpu.plan.duration import nearest
from gpu.plan.spec import ProbeInfo
from gpu.render.media import Media
from gpu.render.structure import gop_ms, has_index_first
from gpu.render.timing import find_grid


def probe_media(media: Media) -> ProbeInfo:
    """Reads the start and the end of the file; raises MediaFailure."""
    grid = find_grid(media)
    size = media.display_size
    audio = media.audio
    return ProbeInfo(
        width=size.width,
        height=size.height,
        rotation=cast(Literal[0, 90, 180, 270], media.rotation),
        fps_num=grid.rate.numerator,
        fps_den=grid.rate.denominator,
        frame_count=grid.frame_count,
        duration_ms=nearest(grid.frame_count * grid.rate.denominator * 1000, grid.rate.numerator),
        video_codec=media.video.codec_context.codec.canonical_name,
        pixel_format=media.first.format.name,
        variable_frame_rate=grid.variable,
        audio_codec=audio.codec_context.codec.canonical_name if audio else None,
        audio_sample_rate=audio.rate if audio else None,
        audio_channels=audio.channels if audio else None,
        gop_ms=gop_ms(media),
        index_first=has_index_first(media),
        interlaced=media.interlaced,
        transfer=media.transfer,
    )
