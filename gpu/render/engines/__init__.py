"""Engines beside the reference one, for the same plans: `nvdec` on a GPU, `ffmpeg` for plain cuts and text.

`dispatch` renders with the engine that `choose` names, and with the reference engine when that one gives up.
"""
