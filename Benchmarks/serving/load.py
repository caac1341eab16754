"""Compiles load.c, and sends requests by it."""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
_programs: dict[str, Path] = {}


def compiled(name: str, sources: list[Path], *options: str) -> Path:
    """Compiles a C program once, into a folder that ends with us."""
    if name not in _programs:
        folder = Path(tempfile.mkdtemp(prefix="apus-load-"))
        subprocess.run(["cc", "-O2", "-o", str(folder / name), *map(str, sources), *options], check=True, stdin=subprocess.DEVNULL)
        _programs[name] = folder / name
    return _programs[name]


@dataclass
class Request:
    """What is sent: a body to a path by HTTP, or a message to a method by gRPC."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    is_grpc: bool = False

    def bytes(self) -> bytes:
        if self.is_grpc:
            return self.body
        headers = {"Host": "127.0.0.1", "Content-Type": "application/json", **self.headers, "Content-Length": str(len(self.body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode() + self.body


def run(port: int, request: Request, connections: int, seconds: float, rate: float = 0) -> dict:
    """Requests a second and latencies; `rate` 0 sends the next when the last is answered, else so many a second, come what may."""
    with tempfile.NamedTemporaryFile(prefix="apus-request-") as file:
        file.write(request.bytes())
        file.flush()
        command = [compiled("load", [HERE / "load.c"]), str(port), file.name, str(connections), str(seconds), str(rate)]
        done = subprocess.run([*map(str, command), *([request.path] if request.is_grpc else [])],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode != 0:
        raise RuntimeError(f"load failed: {done.stdout}{done.stderr}")
    result = json.loads(done.stdout)
    if result["failed"]:
        result["complaint"] = done.stderr.strip()[:400]
    return result | {"connections": connections, "rate": rate}


def best(port: int, request: Request, concurrencies: list[int], seconds: float) -> dict:
    """The fastest of several concurrencies, and all of them."""
    results = [run(port, request, count, seconds) for count in concurrencies]
    return max(results, key=lambda result: result["per_second"]) | {"all": results}
