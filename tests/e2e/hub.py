"""A stand-in of the Hugging Face hub: the endpoints that an upload and a download ask for."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hub:
    """Repositories by name: of each its commits, newest last, as files by name."""

    def __init__(self) -> None:
        self.repositories: dict[str, list[dict[str, bytes]]] = {}
        self.private: dict[str, bool] = {}
        self.tokens: set[str | None] = set()
        self.address = ""

    def commit(self, repository: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        commits = self.repositories.get(repository, [])
        names = {commit_name(i): i for i in range(len(commits))} | {"main": len(commits) - 1}
        place = names.get(revision, -1)
        return None if place < 0 else (commit_name(place), commits[place])


def commit_name(number: int) -> str:
    return hashlib.sha1(str(number).encode()).hexdigest()


@contextmanager
def serving() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def answer(self, value: object = None, status: int = 200, **headers: str) -> None:
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name.replace("_", "-"), text)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
            if found is None or found[1] not in hub.repositories:
                self.answer({}, 404, X_Error_Code="RepoNotFound")
                return
            commit = hub.commit(found[1], found[2])
            if commit is None:
                self.answer({}, 404, X_Error_Code="RevisionNotFound")
                return
            name, files = commit
            body = files[found[3]]
            etag = f'"{hashlib.sha1(body).hexdigest()}"'
            self.answer(body, X_Repo_Commit=name, ETag=etag)

        do_HEAD = do_GET

        def do_POST(self) -> None:
            hub.tokens.add(self.headers.get("Authorization"))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/api/repos/create":
                asked = json.loads(body)
                name = "/".join(x for x in (asked.get("organization"), asked["name"]) if x)
                hub.repositories.setdefault(name, [])
                hub.private[name] = bool(asked.get("private"))
                self.answer({"url": f"{hub.address}/{name}", "id": name, "name": name})
                return
            found = re.fullmatch(r"/api/models/(.+)/(preupload|commit)/.+", self.path)
            if self.path == "/api/validate-yaml":
                self.answer({"warnings": [], "errors": []})
            elif found is not None and found[2] == "preupload":
                files = [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for file in json.loads(body)["files"]
                ]
                self.answer({"files": files})
            elif found is not None and found[2] == "commit":
                self.commit(found[1], [json.loads(line) for line in body.splitlines()])
            else:
                self.answer({}, 404)

        def commit(self, repository: str, lines: list[dict[str, Any]]) -> None:
            commits = hub.repositories[repository]
            files = dict(commits[-1]) if commits else {}
            for line in lines:
                if line["key"] == "file":
                    files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            commits.append(files)
            name = commit_name(len(commits) - 1)
            address = f"{hub.address}/{repository}/commit/{name}"
            self.answer({"commitUrl": address, "commitOid": name, "success": True})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
