"""Releases of a stack: what is deployed, what is promoted, and the way back to the release before."""
