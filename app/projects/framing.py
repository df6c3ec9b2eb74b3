"""The geometry of framing: output sizes, the crop without keyframes, and what a crop must satisfy. Pure."""

from app.kit.errors import FieldError
from app.kit.recipe import Recipe
from app.projects.errors import CropError
from app.projects.schemas import AspectRatio, Project
from gpu.plan.spec import CropKeyframe, EditSpec, OutputSize, ProbeInfo

OUTPUT_SIZES: dict[AspectRatio, OutputSize] = {
    "9:16": OutputSize(width=1080, height=1920),
    "16:9": OutputSize(width=1920, height=1080),
    "1:1": OutputSize(width=1080, height=1080),
    "4:5": OutputSize(width=1080, height=1350),
}
MIN_CROP_PX = 16.0
_RATIO_TOLERANCE = 0.01
_EDGE_TOLERANCE_PX = 0.01


def ratio_of(aspect_ratio: AspectRatio) -> float:
    """Width over height."""
    size = OUTPUT_SIZES[aspect_ratio]
    return size.width / size.height


def centred_crop(aspect_ratio: AspectRatio, probe: ProbeInfo) -> CropKeyframe:
    """The largest crop of this shape, in the middle: what a project without keyframes shows."""
    ratio = ratio_of(aspect_ratio)
    width = min(float(probe.width), probe.height * ratio)
    height = width / ratio
    return CropKeyframe(frame=0, x=(probe.width - width) / 2, y=(probe.height - height) / 2, width=width, height=height)


def require_valid(crop: CropKeyframe, aspect_ratio: AspectRatio, probe: ProbeInfo, clip_frames: int) -> None:
    """Raises CropError that names each wrong field."""
    wrong: list[FieldError] = []
    if crop.frame >= clip_frames:
        wrong.append(FieldError("frame", f"frame {crop.frame} is beyond the clip's {clip_frames} frames"))
    if min(crop.width, crop.height) < MIN_CROP_PX:
        wrong.append(FieldError("width", f"a crop is at least {MIN_CROP_PX:.0f} pixels wide and high"))
    sides = (("x", crop.x, crop.width, probe.width), ("y", crop.y, crop.height, probe.height))
    for axis, start, length, limit in sides:
        if start < -_EDGE_TOLERANCE_PX or start + length > limit + _EDGE_TOLERANCE_PX:
            wrong.append(FieldError(axis, f"{start:g}..{start + length:g} leaves the picture, which is 0..{limit}"))
    wanted = ratio_of(aspect_ratio)
    if abs(crop.width / crop.height / wanted - 1) > _RATIO_TOLERANCE:
        message = (
            f"{crop.width:g} x {crop.height:g} is not {aspect_ratio}: the width must be {crop.height * wanted:.1f}"
        )
        wrong.append(FieldError("width", message))
    if wrong:
        raise CropError("; ".join(error.message for error in wrong), errors=wrong)


def recipe(project: Project, probe: ProbeInfo) -> Recipe:
    """What a framing export of the project is made from."""
    edit = project.clip_edits[0]
    crops = tuple(edit.crop_keyframes) or (centred_crop(project.aspect_ratio, probe),)
    spec = EditSpec.of_clip(
        in_frame=edit.in_frame,
        out_frame=edit.out_frame,
        crop_keyframes=crops,
        size=OUTPUT_SIZES[project.aspect_ratio],
    )
    return Recipe(kind="framing", media_id=edit.media_id, spec=spec)
