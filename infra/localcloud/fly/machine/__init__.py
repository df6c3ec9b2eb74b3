"""Machines: a launcher that no process outlives, health checks, and the life of one machine."""
