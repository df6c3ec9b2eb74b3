"""Files that only name other files: what opens them reads the server's disk or calls an address of its network."""

from pathlib import Path

from tests.gpu.hostile.seed import Seed


def hls_of_a_file(seed: Seed) -> bytes:
    return _hls(f"file://{seed.bait}")


def hls_of_a_path(seed: Seed) -> bytes:
    return _hls(seed.bait)


def hls_of_an_address(seed: Seed) -> bytes:
    return _hls(seed.lure)


def hls_with_key_and_map(seed: Seed) -> bytes:
    extra = f'#EXT-X-KEY:METHOD=AES-128,URI="{seed.lure}"\n#EXT-X-MAP:URI="file://{seed.bait}"\n'
    return _hls(f"crypto+file://{seed.bait}", extra)


def hls_of_lists(seed: Seed) -> bytes:
    lists = [
        seed.lure,
        f"file://{seed.bait}",
        f"concat:{seed.bait}|{seed.bait}",
        f"subfile,,start,0,end,0,,:{seed.bait}",
    ]
    return ("#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{one}\n" for one in lists)).encode()


def hls_behind_a_film_header(seed: Seed) -> bytes:
    return b"\x00\x00\x00\x10ftypisom\0\0\2\0" + _hls(f"file://{seed.bait}")


def plain_m3u(seed: Seed) -> bytes:
    return f"{seed.bait}\n{seed.lure}\n".encode()


def concat_of_a_file(seed: Seed) -> bytes:
    return f"ffconcat version 1.0\nfile '{seed.bait}'\n".encode()


def concat_of_a_neighbour(seed: Seed) -> bytes:
    """A plain name, which the safest reading of the format allows: it is looked for in the folder of the server."""
    return f"ffconcat version 1.0\nfile {Path(seed.bait).name}\n".encode()


def concat_of_addresses(seed: Seed) -> bytes:
    return f"ffconcat version 1.0\nfile {seed.lure}\noption safe 0\nfile file:{seed.bait}\n".encode()


def dash(seed: Seed) -> bytes:
    return _mpd(f"file://{seed.bait}")


def dash_of_an_address(seed: Seed) -> bytes:
    return _mpd(seed.lure)


def xml_with_an_entity(seed: Seed) -> bytes:
    return (
        f'<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY x SYSTEM "file://{seed.bait}">]>'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>&x;</Period></MPD>'
    ).encode()


def sdp(seed: Seed) -> bytes:
    return (
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    )


def smil_of_realmedia(seed: Seed) -> bytes:
    return f"<smil><body><video src='{seed.lure}'/><video src='{seed.bait}'/></body></smil>".encode()


def rtsp_text(seed: Seed) -> bytes:
    return f"RTSPtext\n{seed.lure}\n".encode()


def image_pattern(seed: Seed) -> bytes:
    return f"{seed.bait}%03d.png\n".encode()


def subtitles(seed: Seed) -> bytes:
    return f"1\n00:00:00,000 --> 00:00:09,000\n<img src='{seed.lure}'/>{seed.bait}\n".encode()


def styled_subtitles(seed: Seed) -> bytes:
    script = f"[Script Info]\nScriptType: v4.00+\nVideo File: {seed.bait}\n[Events]\n"
    return (script + "Dialogue: 0,0:00:00.00,0:00:09.00,,,,,,x\n").encode()


def metadata(seed: Seed) -> bytes:
    return f";FFMETADATA1\ntitle=file://{seed.bait}\n".encode()


def windows_playlist(seed: Seed) -> bytes:
    references = f"[Reference]\nRef1={seed.lure}\nRef2=file://{seed.bait}\n"
    return (references + f"<ASX version='3.0'><ENTRY><REF HREF='{seed.lure}'/></ENTRY></ASX>").encode()


def _hls(segment: str, extra: str = "") -> bytes:
    return (
        f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:9\n{extra}#EXTINF:9.0,\n{segment}\n#EXT-X-ENDLIST\n".encode()
    )


def _mpd(address: str) -> bytes:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" minBufferTime="PT1S"'
        ' mediaPresentationDuration="PT9S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
        '<Period duration="PT9S"><AdaptationSet mimeType="video/mp4">'
        '<Representation id="1" bandwidth="9" width="9" height="9">'
        f"<BaseURL>{address}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ).encode()
