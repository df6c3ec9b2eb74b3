"""Clips: marked ranges of a game's recordings, with rating, tags and notes."""
