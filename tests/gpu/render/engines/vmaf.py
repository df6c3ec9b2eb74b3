"""Video quality as people see it, by libvmaf in the ffmpeg program of the tests: 100 is like the original."""

import subprocess
from pathlib import Path

import imageio_ffmpeg

from gpu.plan import RenderPlan
from tests.gpu.render.engines.agreement import reference


def vmaf(video: Path, original: Path) -> float:
    """Mean over all frames, which both files have as many of."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "info", "-nostdin", "-i", str(video), "-i", str(original)]
    graph = "[0:v:0][1:v:0]libvmaf=shortest=1"
    done = subprocess.run([*command, "-lavfi", graph, "-f", "null", "-"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (score,) = (line.rpartition(":")[2] for line in done.stderr.splitlines() if "VMAF score" in line)
    return float(score)


def write_lossless(plan: RenderPlan, path: Path, *videos: Path) -> None:
    """The pictures of the reference painter, without loss."""
    size, rate = f"{plan.size.width}x{plan.size.height}", str(plan.rate)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p"]
    command += ["-video_size", size, "-framerate", rate, "-i", "-", "-c:v", "libx264", "-preset", "ultrafast"]
    stored = b"".join(picture.tobytes() for picture in reference(plan, *videos))
    subprocess.run([*command, "-qp", "0", str(path)], input=stored, check=True)
