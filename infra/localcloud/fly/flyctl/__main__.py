"""`python -m infra.localcloud.fly.flyctl …`"""

import os
import signal
import sys
from types import FrameType

from infra.localcloud.fly.flyctl.main import main


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main(sys.argv[1:], env=os.environ, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr))
