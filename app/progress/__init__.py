"""Live progress: a hub inside the process, and the socket loop that sends it."""
