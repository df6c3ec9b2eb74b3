"""The ffmpeg engine: the same pictures as the reference engine's, frame by frame, and nothing but its work."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import psutil
import pytest

from gpu.plan import RenderPlan
from gpu.plan.spec import Caption, ClipEdit, CropKeyframe, EditSpec, FrameRate, OutputSize, Retime
from gpu.render import engine, gates
from gpu.render.engines import ffmpeg, ffmpeg_command
from gpu.render.engines.ffmpeg_command import Video, arguments, obstacle
from gpu.render.engines.ffmpeg_program import Encoding, find_program
from gpu.render.engines.unable import EngineUnable
from gpu.render.sources import LocalSources
from tests.gpu.render.engines.agreement import LEAST_PSNR, Pictures, any_edit, plan_of, reference, rows, worst_psnr
from tests.gpu.render.engines.vmaf import vmaf, write_lossless
from tests.gpu.render.rendering import numbers_in
from tests.gpu.render.videos import HEIGHT, WIDTH, read_sound, reordered, write_video

CAPTION = Caption(rating=4, tags=("goal", "save"), notes="A fine save by the keeper, and the next corner went in.")
CORNER = CropKeyframe(frame=0, x=20, y=10, width=160, height=90)


@pytest.fixture
def lossless(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program encodes without loss, in the profile that this takes."""
    usual = ffmpeg_command._encoder
    profiles = {"high": "high444", "20": "0"}
    monkeypatch.setattr(ffmpeg_command, "_encoder", lambda plan: [profiles.get(one, one) for one in usual(plan)])


@pytest.mark.usefixtures("lossless")
@pytest.mark.parametrize(
    ("clip", "size"),
    [
        (ClipEdit(in_frame=0, out_frame=20), None),
        (ClipEdit(in_frame=47, out_frame=75), None),
        (ClipEdit(in_frame=95, out_frame=120), None),
        (ClipEdit(in_frame=31, out_frame=40, caption=CAPTION), None),
        (ClipEdit(in_frame=3, out_frame=12, crop_keyframes=(CORNER,), caption=CAPTION), (160, 90)),
    ],
)
def test_lossless_pictures_are_those_of_the_reference(
    match: Path, tmp_path: Path, clip: ClipEdit, size: tuple[int, int] | None
) -> None:
    output = OutputSize(width=size[0], height=size[1]) if size else None
    plan = plan_of(EditSpec(clips=(clip,), size=output), match)
    made = _decoded(_rendered(plan, match, tmp_path))
    assert worst_psnr(made, reference(plan, match)) >= LEAST_PSNR


@pytest.mark.usefixtures("lossless")
@pytest.mark.parametrize("start", [0, 1, 13, 29])
def test_pictures_that_are_stored_out_of_order_come_out_exact(folder: Path, tmp_path: Path, start: int) -> None:
    video = folder / "reordered.mp4"
    if not video.exists():
        write_video(video, 40, tags=reordered)
    plan = plan_of(EditSpec.of_clip(start, start + 9), video)
    assert worst_psnr(_decoded(_rendered(plan, video, tmp_path)), reference(plan, video)) == float("inf")


def test_the_file_keeps_the_plans_promises(match: Path, ntsc: Path, tmp_path: Path) -> None:
    for video in (match, ntsc):
        plan = plan_of(EditSpec.of_clip(33, 80), video)
        seen = list[int]()
        out = tmp_path / "out.mp4"
        ffmpeg.render(plan, LocalSources([video]), out, seen.append, find_program())
        gates.check(gates.measure(out), plan)
        assert numbers_in(out) == list(range(33, 80))
        assert seen == list(range(1, 48))
        expected = tmp_path / "reference.mp4"
        engine.render(plan, LocalSources([video]), expected, lambda _: None)
        assert read_sound(out).tobytes() == read_sound(expected).tobytes()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "reference.mp4"]


def test_the_same_plan_gives_the_same_bytes(match: Path, tmp_path: Path) -> None:
    plan = plan_of(EditSpec(clips=(ClipEdit(in_frame=5, out_frame=35, caption=CAPTION),)), match)
    first = _rendered(plan, match, tmp_path).read_bytes()
    assert _rendered(plan, match, tmp_path).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["rendered.mp4"]


def test_its_files_look_as_good_as_the_references(match: Path, tmp_path: Path) -> None:
    plan = plan_of(EditSpec.of_clip(40, 70), match)
    out, expected, original = (tmp_path / f"{name}.mp4" for name in ("ffmpeg", "pyav", "lossless"))
    ffmpeg.render(plan, LocalSources([match]), out, lambda _: None, find_program())
    engine.render(plan, LocalSources([match]), expected, lambda _: None)
    write_lossless(plan, original, match)
    assert abs(vmaf(out, original) - vmaf(expected, original)) <= 1


def test_vmaf_tells_a_bad_file_from_a_good_one(match: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(EditSpec.of_clip(40, 50), match)
    original = tmp_path / "lossless.mp4"
    write_lossless(plan, original, match)
    good = vmaf(_rendered(plan, match, tmp_path), original)
    monkeypatch.setattr(ffmpeg_command, "CRF", 45)
    assert vmaf(_rendered(plan, match, tmp_path), original) < good - 1


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (EditSpec(clips=(ClipEdit(in_frame=0, out_frame=9),) * 2), "it has 2 clips"),
        (
            any_edit(4, 30, WIDTH, HEIGHT).model_copy(update={"clips": (ClipEdit(in_frame=0, out_frame=9),)}),
            "highlight",
        ),
        (EditSpec(clips=(ClipEdit(in_frame=0, out_frame=9),), rate=FrameRate(num=25)), "its rate"),
        (
            EditSpec(
                clips=(ClipEdit(in_frame=0, out_frame=9, retime=Retime(boundaries=(0, 9), speeds_percent=(50,))),)
            ),
            "its speed",
        ),
        (
            EditSpec.of_clip(
                0,
                9,
                crop_keyframes=(CORNER, CORNER.model_copy(update={"frame": 8, "x": 90})),
                size=OutputSize(width=160, height=90),
            ),
            "its crop moves",
        ),
        (EditSpec.of_clip(0, 9, size=OutputSize(width=160, height=90)), "its crop is scaled"),
        (
            EditSpec.of_clip(
                0,
                9,
                crop_keyframes=(CORNER.model_copy(update={"x": 21}),),
                size=OutputSize(width=160, height=90),
            ),
            "between two samples",
        ),
    ],
)
def test_what_it_would_draw_otherwise_is_refused(match: Path, spec: EditSpec, reason: str) -> None:
    assert reason in (obstacle(plan_of(spec, match)) or "")


def test_a_file_that_it_would_show_otherwise_is_refused(folder: Path, tmp_path: Path) -> None:
    def stretched(context: av.VideoCodecContext) -> None:
        context.sample_aspect_ratio = Fraction(2)

    def old_colours(context: av.VideoCodecContext) -> None:
        context.colorspace = 6

    files = {
        "turned": write_video(folder / "turned-90.mp4", 9, rotation=90),
        "square": write_video(folder / "stretched.mp4", 9, tags=stretched),
        "bt709": write_video(folder / "old.mp4", 9, tags=old_colours),
        "MP4": write_video(folder / "other.mkv", 9),
    }
    for reason, video in files.items():
        plan = plan_of(EditSpec.of_clip(0, 5), video)
        with pytest.raises(EngineUnable, match=reason):
            ffmpeg.render(plan, LocalSources([video]), tmp_path / "out.mp4", lambda _: None, find_program())


def test_only_short_lists_and_local_files_are_open_to_the_program(match: Path) -> None:
    plan = plan_of(EditSpec.of_clip(50, 59), match)
    command = arguments(plan, Video(match, 0, plan.rate * 0, plan.rate * 0), None)
    before = command[: command.index("-i")]
    for option, value in (("-protocol_whitelist", "file"), ("-f", "mov"), ("-max_streams", "64")):
        assert before[before.index(option) + 1] == value
    assert "h264" in before[before.index("-codec_whitelist") + 1]
    assert "-nostdin" in before
    assert command[-1] == "pipe:1"
    assert command.count("-i") == 1


def test_a_playlist_under_a_videos_name_is_not_followed(match: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.mp4"
    trap.write_text(f"ffconcat version 1.0\nfile '{match}'\n")
    plan = plan_of(EditSpec.of_clip(50, 59), match)
    command = arguments(plan, Video(trap, 0, plan.rate * 0, plan.rate * 0), None)
    with Encoding(find_program(), command) as encoding, pytest.raises(EngineUnable, match="ffmpeg"):
        list(encoding.packets())


def test_a_damaged_file_is_left_to_the_reference(match: Path, tmp_path: Path) -> None:
    data = bytearray(match.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(range(200)) * 2
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    plan = plan_of(EditSpec.of_clip(20, 100), match)
    with pytest.raises(EngineUnable, match="ffmpeg"):
        ffmpeg.render(plan, LocalSources([damaged]), tmp_path / "out.mp4", lambda _: None, find_program())


def test_a_file_that_ends_before_the_plan_does_is_left_to_the_reference(match: Path, tmp_path: Path) -> None:
    plan = plan_of(EditSpec.of_clip(0, 90, audio=False), match)
    short = write_video(tmp_path / "short.mp4", 30)
    with pytest.raises(EngineUnable, match="ffmpeg wrote 30 of 90 frames"):
        ffmpeg.render(plan, LocalSources([short]), tmp_path / "out.mp4", lambda _: None, find_program())


def test_a_program_that_complains_is_not_believed(match: Path, tmp_path: Path) -> None:
    program = _program(
        tmp_path, f"sys.stdout.buffer.write(open({str(match)!r}, 'rb').read())\nprint('oh', file=sys.stderr)"
    )
    with Encoding(program, []) as encoding, pytest.raises(EngineUnable, match=r"ffmpeg ended with 0 \(oh\)"):
        list(encoding.packets())


def test_the_program_gets_no_environment(tmp_path: Path) -> None:
    program = _program(tmp_path, "sys.exit('open' if 'PATH' in os.environ else 'closed')")
    with Encoding(program, []) as encoding, pytest.raises(EngineUnable, match="closed"):
        list(encoding.packets())


@pytest.mark.timeout(60)
def test_leaving_the_context_ends_a_program_that_would_not_end(tmp_path: Path) -> None:
    with Encoding(_program(tmp_path, "signal.pause()"), []):
        (child,) = psutil.Process().children()
    assert not child.is_running()


def test_the_program_ends_with_its_parent(match: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from gpu.plan.spec import EditSpec\n"
        "from gpu.render.engines.ffmpeg_command import Video, arguments\n"
        "from gpu.render.engines.ffmpeg_program import Encoding, find_program\n"
        "from tests.gpu.render.engines.agreement import plan_of\n"
        "video = Path(sys.argv[1])\n"
        "plan = plan_of(EditSpec.of_clip(0, 100), video)\n"
        "command = arguments(plan, Video(video, 0, plan.rate * 0, plan.rate * 0), None)\n"
        "command[command.index('-frames:v') + 1] = '2000000000'\n"
        "command[command.index('-i') : command.index('-i')] = ['-stream_loop', '-1']\n"
        "with Encoding(find_program(), command) as one:\n"
        "    next(one.packets())\n"
        "    print('running', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(match)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "running\n"
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
    gone, running = psutil.wait_procs([child], timeout=30)
    for one in running:
        one.kill()
    assert gone


def test_a_caller_who_gives_up_ends_the_program_and_leaves_no_file(match: Path, tmp_path: Path) -> None:
    def give_up(frames: int) -> None:
        raise KeyboardInterrupt

    plan = plan_of(EditSpec.of_clip(0, 100), match)
    with pytest.raises(KeyboardInterrupt):
        ffmpeg.render(plan, LocalSources([match]), tmp_path / "out.mp4", give_up, find_program())
    assert not list(tmp_path.iterdir())
    assert not [child for child in psutil.Process().children() if "ffmpeg" in child.name()]


def _program(folder: Path, code: str) -> Path:
    path = folder / "program"
    path.write_text(f"#!{sys.executable}\nimport os, signal, sys\n{code}\n")
    path.chmod(0o700)
    return path


def _rendered(plan: RenderPlan, video: Path, folder: Path) -> Path:
    out = folder / "rendered.mp4"
    ffmpeg.render(plan, LocalSources([video]), out, lambda _: None, find_program())
    return out


def _decoded(video: Path) -> Pictures:
    with av.open(str(video)) as container:
        return rows(container.decode(video=0))
