"""The quick server: starts in a tenth of a second and shows what reached it."""

import json
import os
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/health":
            self.answer(500 if os.environ.get("BROKEN") == "health" else 200, {"status": "ok"})
        elif url.path == "/environment":
            self.answer(200, dict(os.environ))
        elif url.path == "/slow":
            time.sleep(float(query["s"]))
            self.answer(200, {"machine": os.environ["FLY_MACHINE_ID"]})
        elif url.path == "/held":
            while not Path(query["until"]).exists():
                time.sleep(0.01)
            self.answer(200, {"machine": os.environ["FLY_MACHINE_ID"]})
        elif url.path == "/child":
            process = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
            self.answer(200, {"pid": os.getpid(), "child": process.pid})
        elif url.path == "/end":
            os._exit(int(query["code"]))
        else:
            self.answer(200, {"machine": os.environ["FLY_MACHINE_ID"], "version": self.version()})

    def version(self) -> str:
        return Path("service/version.txt").read_text().strip()

    def answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serve(host: str, port: int) -> None:
    ThreadingHTTPServer((host, port), Handler).serve_forever()
