"""EditSpec + ProbeInfo -> RenderPlan. Pure, and it needs nothing but pydantic, so the backend can import it."""

from gpu.plan.compile import compile_plan
from gpu.plan.duration import Duration, duration
from gpu.plan.render_plan import RenderPlan
from gpu.plan.validation import Mistake, SpecError

__all__ = ["Duration", "Mistake", "RenderPlan", "SpecError", "compile_plan", "duration"]
