"""Faults by a seeded plan: which call of which stand-in meets what, and a log of every call made."""

from infra.localcloud.faults.injector import Faults
from infra.localcloud.faults.plan import Fault, FaultPlan, PlanError

__all__ = ["Fault", "FaultPlan", "Faults", "PlanError"]
