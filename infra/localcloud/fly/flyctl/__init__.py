"""The loopback `flyctl`: flags, texts and exit codes of the real one, for the commands that a deploy uses.

It talks only to the Fly stand-in named by FLY_API_BASE_URL. Nothing heavy is imported: every call starts a process.
"""
