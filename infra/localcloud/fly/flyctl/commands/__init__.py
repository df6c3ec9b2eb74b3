"""A file for each group of commands; a command is a function that takes a `Run`."""
