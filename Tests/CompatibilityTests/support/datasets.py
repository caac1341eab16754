"""Datasets with versions, made by the API as `apus data commit` makes them."""

import hashlib
import json

from .api import Api, unique


class Dataset:
    """A dataset of a server; the first commit makes it unless `description` is given."""

    def __init__(self, api: Api, name: str | None = None, description: str | None = None):
        self.api, self.name = api, name or unique("data")
        self.path = f"/api/v1/datasets/{self.name}"
        if description is not None:
            self._make("/api/v1/datasets", name=self.name, description=description)

    def _make(self, path: str, **fields: str) -> None:
        response = self.api.send("POST", path, json=fields)
        assert response.status_code == 201, response.text

    def commit(self, files: dict[str, str | bytes | None], message: str = "", branch: str | None = None, author: str | None = None) -> dict:
        """A version in which these files are put, or removed where there is None; what the server says of it."""
        head = {"message": message, "branch": branch, "author": author}
        lines = [{key: value for key, value in head.items() if value is not None}]
        for path, content in files.items():
            if content is None:
                lines.append({"path": path, "removed": True})
                continue
            content = content if isinstance(content, bytes) else content.encode()
            digest = hashlib.sha256(content).hexdigest()
            sent = self.api.send("PUT", f"{self.path}/contents/{digest}", data=content)
            assert sent.status_code == 200, sent.text
            lines.append({"path": path, "sha256": digest, "bytes": len(content)})
        body = "\n".join(map(json.dumps, lines))
        made = self.api.send("POST", f"{self.path}/versions", data=body, headers={"Content-Type": "application/x-ndjson"})
        assert made.status_code in (200, 201), made.text
        return made.json()["version"]

    def ref(self, name: str, kind: str, version: str) -> None:
        self._make(f"{self.path}/refs", name=name, kind=kind, version=version)

    def refs(self) -> dict[str, tuple[str, int]]:
        """Kind and version of each branch and tag."""
        return {ref["name"]: (ref["kind"], ref["version"]) for ref in self.api.ok("GET", f"{self.path}/refs")["refs"]}
