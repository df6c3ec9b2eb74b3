"""What a user does, over the public API only: recording in, reel out. `Journey` is all of it; the parts serve `verify`.

Media goes straight between this process and the bucket by presigned URLs, as it does in the browser.
"""

from infra.deploy.journey.edit import pan
from infra.deploy.journey.journey import Journey, Reel

__all__ = ["Journey", "Reel", "pan"]
