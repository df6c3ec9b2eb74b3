"""The Pulumi program: one stack file in, the whole system out."""

import sys
from pathlib import Path

# The engine runs this file by its path, which leaves the repository's root out of the import path.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi

from infra import stack

for name, value in stack.build(stack.current_config()).items():
    pulumi.export(name, value)
