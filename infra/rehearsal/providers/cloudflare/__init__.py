"""Cloudflare's resources through its v4 API, at a base URL on this machine."""
