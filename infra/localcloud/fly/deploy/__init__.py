"""Deploys: the image, the release, and a strategy that puts it on the machines, told in flyctl's words.

Behaviour and texts are those recorded from the real flyctl 2026.8.21; waits that only pass time (smoke checks of 10 s,
pauses of blue-green, DNS checks) are left out.
"""
