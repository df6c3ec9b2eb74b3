"""python -m infra.deploy verify OUTPUTS.json: is a stack what its outputs say? A room for each group of rows.

It takes the outputs of a stack and nothing else, tries everything as a user nobody else is, and removes what it made.
"""

from infra.deploy.verify.command import main

__all__ = ["main"]
