"""What a person with a keyboard, a reader of screens or weak eyes meets, on every page and in both themes."""

import pytest
from playwright.sync_api import expect

from console.artifacts import FIGURE, MODEL, run_with
from console.checks import CHECKS
from console.conftest import Tab
from support.api import Api, unique
from support.datasets import Dataset
from support.endpoints import Endpoint

pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]

FOCUS = """() => {
    const element = document.activeElement;
    const row = element.matches("[role=treeitem]") ? element.querySelector(".row") : element;
    const style = getComputedStyle(row);
    const shown = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none";
    return [element === document.body, shown, element.outerHTML.slice(0, 140)];
}"""


@pytest.fixture(scope="module")
def pages(server):
    """Every page, with something on it, by its address."""
    import json

    api = Api(server.url)
    experiment = api.experiment(unique("accessible"), tags=[{"key": "team", "value": "vision"}])
    runs = []
    for number in range(3):
        run = api.run(experiment, run_name=f"run {number}", tags=[{"key": "kind", "value": "test"}, {"key": "mlflow.note.content", "value": "**bold**\n\n- [x] done"}])
        metrics = [{"key": "loss", "value": number / 3, "timestamp": 1_700_000_000_000 + step, "step": step} for step in range(5)]
        api.post("runs/log-batch", run_id=run, metrics=metrics, params=[{"key": "depth", "value": str(number)}])
        runs.append(run)
    api.post("runs/update", run_id=runs[0], status="FAILED", end_time=1_700_000_000_000)
    files = run_with(api, {"a/MLmodel": MODEL, "a/rows.csv": "x,y\n1,2\n", "a/figure.json": json.dumps(FIGURE), "a/code.py": "def f(): return 'x' + 1  # note\n",
                           "a/tree.json": json.dumps({"a": list(range(9_000))}), "a/page.html": "<p>x</p>", "a/read.md": "# T\n\n`x`"})
    model = api.model(unique("accessible"), description="**A model**")
    api.version(model), api.version(model)
    api.post("registered-models/alias", name=model, alias="champion", version="1")
    endpoint = Endpoint(server.url)
    endpoint.deploy(2, {"kind": "canary", "hold_seconds": 3_600})
    endpoint.wait(lambda found: found.get("rollout", {}).get("phase") == "running")
    prediction = endpoint.ask().headers["X-Apus-Prediction-Id"]
    endpoint.ask([1.0])
    endpoint.logged(2)
    dataset = Dataset(api, description="**A dataset**")
    dataset.commit({"a/rows.csv": "x,y\n1,2\n", "b.jsonl": '{"x": 1}\n', "c.txt": "one\ntwo\n"}, "First")
    dataset.ref("golden", "tag", "v1")
    dataset.ref("trial", "branch", "v1")
    dataset.commit({"c.txt": "one\nthree\n"}, "Second", branch="trial")
    dataset.commit({"b.jsonl": None}, "Third")
    data = f"/console/datasets/{dataset.name}"
    served = f"/console/endpoints/{endpoint.name}"
    chosen = "&".join(f"run={run}" for run in runs)
    artifacts = f"/console/runs/{files}/artifacts"
    return [
        "/console", "/console/experiments", "/console/experiments?name=nothing+like+it", f"/console/experiments/{experiment}",
        f"/console/experiments/{experiment}?filter=metrics.", f"/console/runs/{runs[0]}", f"/console/runs/{runs[0]}/charts",
        f"/console/runs/{runs[0]}/artifacts", f"/console/runs/{runs[0]}/models", "/console/compare", f"/console/compare?{chosen}",
        "/console/models", f"/console/models/{model}", f"/console/models/{model}/versions/1", f"/console/models/{model}/compare?a=1&b=2", "/console/endpoints", served, f"{served}/try", f"{served}/predictions", f"{served}/predictions/{prediction}",
        "/console/datasets", "/console/datasets?name=nothing+like+it", data, f"{data}/versions/v1?path=a", f"{data}/versions/v1?path=b.jsonl", f"{data}/diff",
        f"{data}/diff?from=v1&to=v2&path=c.txt",
        "/console/system", "/console/styleguide",
        "/console/nothing", "/console/runs/none", *[f"{artifacts}?path=a/{name}" for name in
                                                    ["MLmodel", "rows.csv", "figure.json", "code.py", "tree.json", "page.html", "read.md", "none.txt"]],
    ]


@pytest.mark.parametrize("theme, width", [("light", 380), ("dark", 380), ("light", 1280), ("dark", 2560)])
def test_every_page_can_be_read_and_named(chromium, server, pages, theme, width):
    tab = Tab(chromium, server.url)
    tab.page.set_viewport_size({"width": width, "height": 900})
    tab.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    found = {}
    for path in pages:
        tab.open(path)
        # Scripts have filled what the server left open.
        expect(tab.page.locator("main .skeleton:not(.chart .skeleton)").filter(visible=True)).to_have_count(3 if path.endswith("styleguide") else 0)
        if problems := tab.page.evaluate(CHECKS):
            found[path] = problems
    tab.context.close()
    assert not found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_focus_is_seen_wherever_the_tab_key_leads(tab, pages, theme):
    tab.page.emulate_media(color_scheme=theme)
    for path in ["/console", "/console/styleguide", pages[3], next(path for path in pages if path.endswith("MLmodel"))]:
        tab.open(path)
        for _ in range(60):
            tab.page.keyboard.press("Tab")
            is_body, is_shown, element = tab.page.evaluate(FOCUS)
            if is_body:
                break
            assert is_shown, (path, element)


def test_the_first_stop_skips_to_the_content(tab):
    tab.open("/console")
    tab.page.keyboard.press("Tab")
    expect(tab.page.locator(":focus")).to_have_text("Skip to content")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("main")).to_be_focused()


def test_nothing_moves_for_those_who_asked(tab):
    tab.page.emulate_media(reduced_motion="reduce")
    tab.open("/console/styleguide")
    moving = "[...document.querySelectorAll('*')].filter(element => ['', '::before', '::after'].some(part => getComputedStyle(element, part || null).animationName !== 'none')).length"
    assert tab.page.evaluate(moving) == 0
    tab.page.emulate_media(reduced_motion="no-preference")
    assert tab.page.evaluate(moving) > 0


def test_paper_has_no_controls(tab, pages):
    tab.open(pages[5])
    tab.page.emulate_media(media="print")
    expect(tab.page.locator(".topbar")).to_be_hidden()
    expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
