"""In place of the media functions: one function with the same secret, image and source folder."""

import modal

app = modal.App("reel-ballers")
image = modal.Image.debian_slim(python_version="3.11").add_local_python_source("gpu")
hosts = modal.Secret.from_name("reel-ballers-gpu", required_keys=["MEDIA_HOSTS"])


@app.function(image=image, secrets=[hosts])
def probe(request: str) -> str:
    return request
