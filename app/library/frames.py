"""zstd frames of known size: what unpacks to more than it may is refused before any of it is unpacked."""

import zstandard

_LEVEL = 3
_LEVEL_AGAINST_KNOWN = 1


def compress(content: bytes, known: bytes = b"") -> bytes:
    """`known` is what the reader has already and the content resembles."""
    if not known:
        return zstandard.ZstdCompressor(level=_LEVEL).compress(content)
    return zstandard.ZstdCompressor(level=_LEVEL_AGAINST_KNOWN, dict_data=_dictionary(known)).compress(content)


def decompress(frame: bytes, max_bytes: int, known: bytes = b"") -> bytes:
    """Raises ValueError when the frame is damaged, or names no size, or one above `max_bytes`."""
    try:
        size = zstandard.get_frame_parameters(frame).content_size
        if size > max_bytes:
            raise ValueError(f"a frame claims {size} bytes, more than {max_bytes}")
        decompressor = zstandard.ZstdDecompressor(dict_data=_dictionary(known) if known else None)
        # The dictionary has its own copy: of a large image two would be too much.
        del known
        return decompressor.decompress(frame, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ValueError(f"a damaged frame: {error}") from error


def _dictionary(known: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(known, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
