"""The measurements: a row for each question, a column for each server."""

from common.table import number

NAMES = ["apus", "mlserver", "mlflow", "bentoml", "limit"]


class Columns:
    """Collects the figures of one group after the other, prints and keeps them."""

    def __init__(self):
        self.rows: dict[str, dict] = {}
        self.failures: list[str] = []
        self.kept: list[dict] = []

    def put(self, row: str, server: str, result: dict) -> None:
        self.rows.setdefault(row, {})[server] = result

    def number(self, row: str, server: str, value: float) -> None:
        self.rows.setdefault(row, {})[server] = value

    def fail(self, server: str, reason: str) -> None:
        self.failures.append(f"{server}, {reason}")

    def show(self, title: str, goals: dict[str, list]) -> None:
        """Requests a second, with the ratio to Apus; then latencies at half of each server's own throughput."""
        self._head(f"{title}: requests a second, and how many times more Apus answers")
        for row, results in self.rows.items():
            ours = results.get("apus", {}).get("per_second")
            cells = []
            for name in NAMES:
                theirs = results.get(name, {}).get("per_second")
                ratio = f" {number(ours / theirs)}x" if ours and theirs and name != "apus" else ""
                cells.append(number(theirs) + ratio)
            self._line(row, cells, self._verdicts(results, goals.get(row, [])) + self._complaints(results))
        halves = {row: {name: result["half"] for name, result in results.items() if result.get("half")} for row, results in self.rows.items()}
        if any(halves.values()):
            self._head("   p50 / p99 in ms at half of that rate, sent at constant intervals")
            for row, results in halves.items():
                if results:
                    self._line(row, [f"{results[n]['p50_ms']:.2f} / {results[n]['p99_ms']:.2f}" if n in results else "-" for n in NAMES],
                               "".join(f" [{name}: {half['late']} late]" for name, half in results.items() if half["late"]))
        self._keep(title)

    def show_numbers(self, title: str, bounds: dict[str, float]) -> None:
        self._head(title)
        for row, values in self.rows.items():
            bound = bounds.get(row)
            verdict = f"   goal < {bound}: {'met' if values.get('apus', bound) < bound else 'MISSED'}" if bound and "apus" in values else ""
            self._line(row, [number(values.get(name)) for name in NAMES], verdict)
        self._keep(title)

    def _verdicts(self, results: dict, goals: list) -> str:
        ours = results.get("apus")
        if not ours:
            return ""
        texts = []
        for other, factor in goals:
            if other == "p99":
                value = ours["half"]["p99_ms"]
                texts.append(f"p99 < {factor} ms: {'met' if value < factor else f'MISSED, {value:.2f}'}")
            elif other in results:
                # A peer that answered nothing is beaten by any factor.
                ratio = ours["per_second"] / max(results[other]["per_second"], 1e-9)
                texts.append(f"{factor}x {other}: {'met' if ratio >= factor else 'MISSED'}")
        return "   " + ", ".join(texts) if texts else ""

    @staticmethod
    def _complaints(results: dict) -> str:
        return "".join(f" [{name}: {result['failed']} failed]" for name, result in results.items() if result.get("failed"))

    def _head(self, title: str) -> None:
        print(f"\n{title}\n  {'':34}" + "".join(f"{name:>17}" for name in NAMES) + "   goals", flush=True)

    def _line(self, row: str, cells: list[str], rest: str) -> None:
        print(f"  {row:34}" + "".join(f"{cell:>17}" for cell in cells) + rest, flush=True)

    def _keep(self, title: str) -> None:
        for failure in self.failures:
            print(f"  FAILED: {failure}", flush=True)
        self.kept.append({"title": title, "rows": self.rows, "failures": self.failures})
        self.rows, self.failures = {}, []
