"""What `python -m app.library` does, a file for each command: `run` takes a Desk and gives the exit code."""
