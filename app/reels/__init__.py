"""Reels: finished, immutable versions, ready to download."""
