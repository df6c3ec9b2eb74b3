"""Ends a process that has used obstore: a thread of it that comes back while the interpreter is taken down aborts it.

github.com/PyO3/pyo3-async-runtimes/issues/40
"""

import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """With this exit code and nothing else: what is registered to run at exit does not."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
