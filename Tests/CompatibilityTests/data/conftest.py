"""Fixtures of the tests of datasets: repositories of the real DVC."""

import os
import subprocess
from pathlib import Path

import pytest

from support.api import Api, unique


def tool(name: str) -> Path:
    """A program of the environment with the clients of data, which have needs that MLflow's environment does not fit."""
    root = Path(__file__).resolve().parents[3]
    return Path(os.environ.get("APUS_DATA_ENV", root / ".venv-data")) / "bin" / name


class DvcRepository:
    """A directory under DVC without git, whose default remote is a dataset of a server."""

    def __init__(self, folder: Path, url: str, dataset: str, cache: Path):
        self.folder, self.url, self.dataset = folder, url, dataset
        folder.mkdir(parents=True)
        self.environment = os.environ | {
            "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(cache / "site"), "DVC_GLOBAL_CONFIG_DIR": str(cache / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(cache / "system"), "HOME": str(cache), "NO_PROXY": "*",
        }
        self.run("init", "--no-scm", "--quiet")
        self.run("remote", "add", "--default", "apus", f"{url}/dvc/{dataset}")

    def run(self, *arguments: object, fails: bool = False) -> str:
        """Runs `dvc`; what it says."""
        done = subprocess.run(
            [tool("python"), "-m", "dvc", *map(str, arguments)], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
        )
        assert (done.returncode != 0) == fails, f"dvc {arguments}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def write(self, files: dict[str, bytes]) -> None:
        for path, content in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def read(self, directory: str) -> dict[str, bytes]:
        root = self.folder / directory
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def dataset() -> str:
    """A name that no other test uses."""
    return unique("data")


@pytest.fixture
def make_repository(server, dataset, tmp_path):
    """Makes repositories of one dataset, each with a cache of its own, as on machines of their own."""
    made = []

    def make(url: str | None = None) -> DvcRepository:
        number = len(made)
        made.append(DvcRepository(tmp_path / f"repository-{number}", url or server.url, dataset, tmp_path / f"home-{number}"))
        return made[-1]

    return make


@pytest.fixture
def versions(api: Api, dataset):
    """The versions of the dataset, the youngest first."""
    return lambda: api.get(f"/api/v1/datasets/{dataset}/versions")["versions"]
