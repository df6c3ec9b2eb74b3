"""Exports: jobs that turn a project or a clip into a reel."""
