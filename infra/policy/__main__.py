"""The policy pack: `pulumi preview --policy-pack infra/policy` runs this folder."""

import sys
from pathlib import Path

# The engine puts this folder on the import path and not the repository's root.
PACK = Path(__file__).resolve().parent
sys.path[:] = [str(PACK.parents[1]), *(each for each in sys.path if Path(each).resolve() != PACK)]

from infra.policy.pack import serve  # noqa: E402

serve()
