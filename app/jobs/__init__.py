"""Work that outlives a request: a queue that loses no job at a restart, and the renderers that do media work."""
