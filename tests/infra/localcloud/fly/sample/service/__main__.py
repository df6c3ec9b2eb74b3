"""A small app to deploy: broken as BROKEN says, served by the standard library or, with SERVER=asgi, by uvicorn."""

import importlib
import os
import sys

if __name__ == "__main__":
    print(f"starting as {os.environ['FLY_MACHINE_ID']}", flush=True)
    if os.environ.get("BROKEN") == "crash":
        print("the sample crashes as asked", file=sys.stderr, flush=True)
        sys.exit(3)
    server = importlib.import_module("service.asgi" if os.environ.get("SERVER") == "asgi" else "service.plain")
    server.serve(os.environ["HOST"], int(os.environ["PORT"]))
