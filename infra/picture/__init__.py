"""Draws a stack from its plan: components as boxes, resources in them, arrows for what needs what."""
