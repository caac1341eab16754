"""Opens pages in headless Chromium and tells how long a person waits."""

import statistics
import time
from dataclasses import dataclass

from playwright.sync_api import Browser, Error, Page, TimeoutError

# Runs before any script of the page: notes when the page is usable, and what holds up the main thread.
WATCH = """
window.bench = { ready: null, longest: 0, blocked: 0, frames: [] };
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
        bench.longest = Math.max(bench.longest, entry.duration);
        bench.blocked += Math.max(0, entry.duration - 50);
    }
}).observe({ type: "longtask", buffered: true });
const isReady = () => (READY)();
const look = () => {
    try { if (document.body && isReady()) { bench.ready = performance.now(); return; } } catch {}
    requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""

RUN_LINKS = "() => [...document.links].filter((link) => /runs\\/[0-9a-f]{32}/.test(link.href)).length >= COUNT"
CURVES = "() => [...document.querySelectorAll('.js-plotly-plot')].filter((plot) => plot.data?.some((trace) => (trace.x ?? trace.y ?? trace.dimensions)?.length > 0)).length >= COUNT"
TEXTS = "() => document.body.textContent.includes('TEXT')"


@dataclass
class Visit:
    """Milliseconds since the navigation, and bytes on the wire."""

    first_paint: float
    ready: float
    longest: float
    blocked: float
    kilobytes: float


def wait(page: Page, seconds: float) -> bool:
    """Whether the page was usable in time. It is asked from outside: the Console's policy lets no page evaluate text."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if page.evaluate("(window.bench?.ready ?? null) !== null"):
            return True
        page.wait_for_timeout(100)
    return False


def visit(browser: Browser, url: str, ready: str, limit: float = 90) -> Visit | None:
    """Opens a page with an empty cache; None when it was not usable within `limit` seconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(limit * 1000)
    page = context.new_page()
    page.add_init_script(WATCH.replace("READY", ready))
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    try:
        page.goto(url, wait_until="commit")
        if not wait(page, limit):
            return None
        # What the page still does afterwards may hold up a person too.
        page.wait_for_timeout(1500)
        found = page.evaluate("({ ...bench, paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0 })")
        return Visit(found["paint"], found["ready"], found["longest"], found["blocked"], sum(sizes) / 1000)
    except (TimeoutError, Error):
        return None
    finally:
        try:
            context.close()
        except Error:
            pass


def median(visits: list[Visit | None]) -> Visit | None:
    """The middle of each figure; None when any visit failed."""
    if not visits or any(one is None for one in visits):
        return None
    return Visit(*(statistics.median(getattr(one, name) for one in visits) for name in Visit.__dataclass_fields__))


def scroll(browser: Browser, url: str, ready: str, seconds: float) -> dict[str, float]:
    """Scrolls a table far down and to the right; the times between its frames in milliseconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(WATCH.replace("READY", ready))
    page.goto(url)
    if not wait(page, 60):
        raise RuntimeError(f"the table did not come: {url}")
    page.mouse.move(640, 500)
    page.evaluate("""() => {
        bench.longest = 0;
        let last = performance.now();
        const frame = (now) => { bench.frames.push(now - last); last = now; requestAnimationFrame(frame); };
        requestAnimationFrame(frame);
    }""")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        page.mouse.wheel(120, 900)
        page.wait_for_timeout(16)
    found = page.evaluate("bench")
    context.close()
    frames = sorted(found["frames"][1:])
    return {"frames_per_second": 1000 / statistics.mean(frames), "p95_frame_ms": frames[int(len(frames) * 0.95)],
            "longest_task_ms": found["longest"]}
