"""The command line as a process: no garbage collection and no teardown, which cost a second after Pulumi's SDKs."""

import gc
import os
import sys

gc.disable()  # The Cloudflare SDK makes a million long-lived objects; collecting among them only costs.

from infra.rehearsal.cli import main  # noqa: E402

status = main()
sys.stdout.flush()
sys.stderr.flush()
os._exit(status)  # Everything is written and flushed; tearing the interpreter down would take about a second.
