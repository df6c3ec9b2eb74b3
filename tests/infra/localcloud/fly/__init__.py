"""Tests of the Fly stand-in. `sample/` is the app that they deploy, `recorded/` what the real flyctl answered."""
