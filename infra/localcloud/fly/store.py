"""The state folder: `apps/<name>/app.json` and `secrets.json`, each replaced atomically, readable only by the owner."""

import os
import shutil
from pathlib import Path

from pydantic import BaseModel

from infra.localcloud.fly.model import App, Secrets

OWNER_ONLY = 0o600


class Store:
    """Saves whole documents: an app is a few kilobytes."""

    def __init__(self, folder: Path) -> None:
        self._apps = folder / "apps"
        self._apps.mkdir(parents=True, exist_ok=True)

    def load(self) -> list[tuple[App, Secrets]]:
        return [self._load(folder) for folder in sorted(self._apps.iterdir()) if (folder / "app.json").is_file()]

    def save_app(self, app: App) -> None:
        self._save(app.name, "app.json", app)

    def save_secrets(self, name: str, secrets: Secrets) -> None:
        self._save(name, "secrets.json", secrets)

    def delete(self, name: str) -> None:
        """The app document goes first: an app without it does not exist."""
        (self._apps / name / "app.json").unlink()
        shutil.rmtree(self._apps / name)

    def _load(self, folder: Path) -> tuple[App, Secrets]:
        app = App.model_validate_json((folder / "app.json").read_bytes())
        secrets = folder / "secrets.json"
        return app, Secrets.model_validate_json(secrets.read_bytes()) if secrets.is_file() else Secrets()

    def _save(self, name: str, file: str, document: BaseModel) -> None:
        folder = self._apps / name
        folder.mkdir(exist_ok=True)
        replace_file(folder / file, document.model_dump_json().encode())


def replace_file(path: Path, content: bytes) -> None:
    """Readers see the old content or the new one, also when this process is killed."""
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
