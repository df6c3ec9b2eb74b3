"""Why an engine does not render: the reference engine does it instead, and the result says so."""


class EngineUnable(Exception):
    """This engine cannot make this render on this machine. The message is a clause such as "torch is not installed"."""
