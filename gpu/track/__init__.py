"""Follows players through a range of frames: a detector finds boxes in single pictures, a tracker joins them.

What was not seen is never made up: a gap in a track is marked lost and has no boxes.
"""
