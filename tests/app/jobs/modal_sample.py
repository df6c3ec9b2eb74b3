"""An app with the names of the real one, whose functions do what the source URL says: ok, raise, slow."""

import time
from typing import Any

import modal

app = modal.App("reel-ballers")
image = modal.Image.debian_slim(python_version="3.11").add_local_python_source("modal_sample")
progress = modal.Dict.from_name("reel-ballers-progress", create_if_missing=True)


@app.function(image=image)
def probe(request: dict[str, Any]) -> dict[str, Any]:
    return {"info": {"seen": request["source_url"]}}


@app.function(image=image)
def render(request: dict[str, Any]) -> dict[str, Any]:
    deed = request["source_url"].rpartition("/")[2]
    if deed == "raise":
        raise ValueError("the function broke")
    progress.put(request["progress_key"], {"phase": "rendering", "frames_done": 2, "frames_total": 3})
    if deed == "slow":
        time.sleep(600)
    return {"result": {"seen": request["progress_key"]}}
