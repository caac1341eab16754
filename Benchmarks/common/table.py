"""The measurements, as they are printed and as they are kept."""

import datetime
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Table:
    """The measurements, printed as they come; `peer` is who is measured beside us."""

    def __init__(self, peer: str = "MLflow"):
        self.peer = peer
        self.rows: list[dict] = []

    def head(self, title: str) -> None:
        print(f"\n{title}\n  {'':54}{'Apus':>12}{self.peer:>12}{'ratio':>9}   limit", flush=True)

    def add(self, group: str, name: str, ours: float, theirs: float | None, unit: str, more_is_better: bool = True,
            limit: str = "", **detail: object) -> None:
        other = self.peer.lower()
        for side in ("apus", other):
            result = detail.get(f"{side}_detail", {})
            if result.get("refused") or result.get("broken"):
                # Only requests that were answered with 200 count; this says that there were others.
                limit += f" [{side}: {result['refused']} refused, {result['broken']} broken]"
        ratio = None if theirs is None or not ours or not theirs else (ours / theirs if more_is_better else theirs / ours)
        self.rows.append({"group": group, "name": name, "unit": unit, "apus": ours, other: theirs, "ratio": ratio,
                          "limit": limit, **detail})
        print(f"  {name + ', ' + unit:54}{number(ours):>12}{number(theirs):>12}{number(ratio):>8}{'x' if ratio else ' '}   {limit}",
              flush=True)


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def keep(name: str, results: dict) -> Path:
    """Writes results below bench-results/; returns where, from the root of the repository."""
    folder = ROOT / "bench-results"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(results, indent=2) + "\n")
    return path.relative_to(ROOT)
