"""Fly's proxy: a front for each app that balances over its machines, starts stopped ones, and stops idle ones."""
