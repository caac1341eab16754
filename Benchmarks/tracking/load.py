"""Runs wrk with our scripts and reads its result."""

import itertools
import json
import os
import subprocess
import time
from pathlib import Path

SCRIPTS = Path(__file__).parent / "wrk"
# Numbers below 9 * 10^15 stay exact in Lua.
_seeds = itertools.count(1)


def command(url: str, script: str, connections: int, seconds: float) -> list[str]:
    return ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{max(1, round(seconds))}s",
            "--timeout", "60s", "--script", str(SCRIPTS / f"{script}.lua"), url]


def environment(variables: dict[str, object]) -> dict[str, str]:
    """Ours, with `variables` as BENCH_… for the scripts."""
    fixed = {"BENCH_SCRIPTS": str(SCRIPTS), "BENCH_SEED": str(next(_seeds)), "BENCH_RUNS": "none"}
    return os.environ | fixed | {f"BENCH_{key.upper()}": str(value) for key, value in variables.items()}


def fill(url: str, seconds: float, **variables: object) -> float:
    """Runs wrk/fill.lua until it says that it is done; returns the seconds it took, at most `seconds`."""
    begin = time.monotonic()
    with subprocess.Popen(command(url, "fill", 32, seconds), env=environment(variables), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as wrk:
        output = []
        for line in wrk.stdout:
            output.append(line)
            if line == "FILLED\n":
                wrk.kill()
                return time.monotonic() - begin
    raise RuntimeError(f"filling took too long: {''.join(output)}")


def run(url: str, script: str, connections: int, seconds: float, **variables: object) -> dict:
    """One call of wrk; `variables` become BENCH_… for the script. Answers requests a second and latencies."""
    done = subprocess.run(
        command(url, script, connections, seconds), env=environment(variables), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=seconds + 180,
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    if done.returncode != 0 or line is None:
        raise RuntimeError(f"wrk failed: {done.stdout}{done.stderr}")
    result = json.loads(line.removeprefix("RESULT "))
    result["connections"] = connections
    result["per_second"] = (result["requests"] - result["refused"]) / max(result["seconds"], 1e-9)
    return result


def best(url: str, script: str, concurrencies: list[int], seconds: float, **variables: object) -> dict:
    """The fastest of several concurrencies; a server that refuses or breaks requests is told about."""
    results = [run(url, script, count, seconds, **variables) for count in concurrencies]
    return max(results, key=lambda result: result["per_second"])
