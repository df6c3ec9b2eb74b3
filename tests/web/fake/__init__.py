"""A contract fake of the backend and of object storage, in memory: what the page needs to be tested alone."""
