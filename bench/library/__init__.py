"""The library measured: the production classes on the R2 stand-in in a process of its own, 30 ms before every call.

`python -m bench.library` prints the figures, `python -m bench.library.plots` draws docs/library-*.svg.
"""
