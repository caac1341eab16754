"""Everything that a client may write, with the worst in it: nothing of it runs in a page, or calls out of one."""

import json
import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from console.artifacts import page_with, run_with
from support.api import Api, unique
from support.datasets import Dataset

pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]

MARK = "window.attacked=(window.attacked??0)+1"
ATTACKS = [
    f"<script>{MARK}</script>",
    f"<img src=x onerror=\"{MARK}\">",
    f"\"><svg onload='{MARK}'>",
    f"' autofocus onfocus='{MARK}' x='",
    f"</script></title></textarea></style><script>{MARK}</script>",
    f"<iframe srcdoc=\"<script>parent.{MARK}</script>\"></iframe>",
    "javascript:" + MARK,
    f"${{{MARK}}}{{{{{MARK}}}}}\u2028<b onclick={MARK}>\u202e",
]
ALL = " ".join(ATTACKS)
MARKDOWN = "\n\n".join([
    *ATTACKS, f"[click](javascript:{MARK})", f"[click](JaVaScRiPt:{MARK} \"x\" )", f"![x](x\" onerror=\"{MARK})", f"<javascript:{MARK}>",
    f"[d](data:text/html,<script>{MARK}</script>)", "![out](https://evil.example/x.png)", f"| a |\n|---|\n| {ATTACKS[1]} |", f"```<img/src/onerror={MARK}>\nx\n```",
])
SVG = f"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload='{MARK}'><script>{MARK}</script><foreignObject><body xmlns='http://www.w3.org/1999/xhtml'><img src='https://evil.example/x'/></body></foreignObject></svg>"
HTML = (f"<h1>Report</h1>{ALL}<script>try{{parent.{MARK}}}catch(e){{}} try{{top.location='https://evil.example/'}}catch(e){{}}"
        f"fetch('https://evil.example/').catch(()=>0); fetch('/api/2.0/mlflow/experiments/get?experiment_id=0').catch(()=>0);"
        f"document.body.dataset.ran='1'; try{{document.body.dataset.store=localStorage.length}}catch(e){{document.body.dataset.store='none'}}</script>"
        "<form action=https://evil.example/><button>send</button></form>")
FIGURE = {
    "data": [
        {"type": "bar", "x": [ALL, "b"], "y": [1, 2], "name": f"<a href='javascript:{MARK}'>x</a>", "text": ATTACKS, "hovertemplate": ALL,
         "customdata": [["__proto__"]], "__proto__": {"polluted": True}},
        {"type": "scattergeo", "lon": [1], "lat": [2]},
        {"type": "image", "source": "https://evil.example/x.png"},
    ],
    "layout": {
        "title": {"text": f"<a href=\"https://evil.example/\" target=_top>{ALL}</a>"},
        "images": [{"source": "https://evil.example/x.png", "xref": "paper", "yref": "paper", "sizex": 1, "sizey": 1}],
        "template": {"layout": {"images": [{"source": "https://evil.example/y.png"}], "mapbox": {"style": "https://evil.example/s"}}},
        "mapbox": {"style": "https://evil.example/s"}, "map": {"style": "https://evil.example/s"},
        "updatemenus": [{"buttons": [{"method": "relayout", "args": ["images[0].source", "https://evil.example/z.png"]}]}],
        "annotations": [{"text": f"<a href='javascript:{MARK}'>note</a>", "x": 1, "y": 1}],
    },
}
FLAVOR = "x'); import os; " + ATTACKS[1]
MODEL = f"""flavors:
  python_function:
    loader_module: {json.dumps(ALL)}
  {json.dumps(FLAVOR)}:
    a: {json.dumps(ALL)}
signature:
  inputs: {json.dumps(json.dumps([{"name": ALL, "type": ALL, "required": True}]))}
"""


@pytest.fixture(scope="module")
def written(server):
    """All of it on the server, as the addresses of the pages that show it."""
    api = Api(server.url)
    tags = [{"key": f"t{place}", "value": text} for place, text in enumerate(ATTACKS)]
    name = f"{ATTACKS[1]}'\"&</title>{unique()}"
    experiment = api.experiment(name, tags=[*tags, {"key": "mlflow.note.content", "value": MARKDOWN}])
    notes = [{"key": "mlflow.note.content", "value": MARKDOWN}, {"key": "mlflow.user", "value": ALL}, {"key": "mlflow.source.name", "value": ALL},
             {"key": "mlflow.source.git.commit", "value": ATTACKS[2]}, {"key": "mlflow.source.git.repoURL", "value": "javascript:" + MARK},
             {"key": "mlflow.parentRunId", "value": ATTACKS[3]}]
    runs = [api.run(experiment, run_name=text, tags=[*tags, *notes]) for text in ATTACKS[:3]]
    for run in runs:
        params = [{"key": "p", "value": ALL[:6000]}, {"key": "onload", "value": "javascript:" + MARK}]
        api.post("runs/log-batch", run_id=run, params=params, metrics=[{"key": "m/onerror", "value": 1, "timestamp": 1, "step": 0}])
        dataset = {"name": ATTACKS[1], "digest": "d<b>", "source_type": ATTACKS[0][:36], "source": json.dumps({"uri": "javascript:" + MARK}),
                   "schema": json.dumps({"mlflow_colspec": [{"name": ALL, "type": "double"}]}), "profile": ALL}
        api.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset, "tags": [{"key": "mlflow.data.context", "value": ALL[:200]}]}])
    model = f"{ATTACKS[1]}'\"&%{unique()}".replace("/", "").replace(":", "")
    api.model(model, description=MARKDOWN, tags=tags)
    for _ in range(2):
        api.post("model-versions/create", name=model, source=f"s3://bucket/{ATTACKS[2]}", description=MARKDOWN, tags=tags)
    dataset = Dataset(api, description=MARKDOWN)
    dataset.commit({f"{text.replace('/', '∕')[:80]}.txt": text for text in ATTACKS}, ALL, author=ALL[:80])
    dataset.commit({f"{text.replace('/', '∕')[:80]}.txt": ALL for text in ATTACKS}, ATTACKS[0])
    data = f"/console/datasets/{dataset.name}"
    quoted = quote(model, safe="")
    chosen = "&".join(f"run={run}" for run in runs)
    return [
        "/console", "/console/experiments", f"/console/experiments?name={quote(ATTACKS[2])}", f"/console/experiments/{experiment}",
        f"/console/experiments/{experiment}?filter={quote(ALL)}", f"/console/experiments/{experiment}?columns={quote('params.p')}%0Atags.t1&order={quote('params.p')}",
        *[f"/console/runs/{runs[0]}{tab}" for tab in ["", "/charts", "/artifacts", "/models"]], f"/console/compare?{chosen}",
        "/console/models", f"/console/models?name={quote(ATTACKS[2])}", f"/console/models/{quoted}", f"/console/models/{quoted}/versions/1", f"/console/models/{quoted}/compare",
        f"/console/datasets?name={quote(ATTACKS[2])}", data, f"{data}/versions/v1", f"{data}/diff", f"{data}/diff?from=v1&to=v2&path={quote(ATTACKS[1].replace('/', '∕')[:80])}.txt",
        f"/console/datasets/{quote(ATTACKS[1], safe='')}", f"{data}/versions/{quote(ATTACKS[1], safe='')}",
        "/console/system", f"/console/runs/{quote(ATTACKS[1], safe='')}", f"/console/models/{quote(ATTACKS[1], safe='')}", f"/console/{quote(ATTACKS[1])}",
    ]


FILES = {
    "x.svg": SVG, "x.html": HTML, "away.html": "<meta http-equiv=refresh content='0;url=https://evil.example/'><script>location='https://evil.example/'</script>", "figure.html": page_with(FIGURE), "figure.json": json.dumps(FIGURE), "x.md": MARKDOWN,
    "x.csv": f"{ATTACKS[1]},b\n=1+1,\"{ATTACKS[0]}\"\n", "x.json": json.dumps({ALL: ALL, "__proto__": {"polluted": True}}), "x.txt": ALL,
    "x.py": f"# {ALL}\nx = '''{ALL}'''\n", "x.yaml": f"a: {json.dumps(ALL)}\n", "x.xml": f"<a>{ALL}</a>", "m/MLmodel": MODEL, "x.png": SVG, "x.mp4": HTML,
    "split.json": json.dumps({"columns": [ALL], "data": [[ALL]]}), f"<img src=x onerror={MARK}>.txt": "named", "d'\"&<b>/x.txt": "named",
}


@pytest.fixture(scope="module")
def files(server):
    return run_with(Api(server.url), FILES, run_name=ATTACKS[0])


CALM = """() => ({
    attacked: window.attacked ?? 0,
    polluted: ({}).polluted ?? false,
    // What no page of ours has.
    foreign: document.querySelectorAll("body script, main img[src='x'], main svg[onload], [onerror], [onload], [onclick], [onfocus], a[href^='javascript:' i], a[href^='data:' i], .figure a").length,
})"""


def test_texts_are_only_texts(tab, written):
    for path in written:
        tab.open(path)
        # Palettes, trees and charts are filled by scripts; the focus makes attributes act that an attack may have set.
        tab.page.keyboard.press("Tab")
        expect(tab.page.locator("main .skeleton:not(.chart .skeleton)").filter(visible=True)).to_have_count(0)
        assert tab.page.evaluate(CALM) == {"attacked": 0, "polluted": False, "foreign": 0}, path
    # Answers of 404 are told in the browser's console; nothing else may be.
    tab.complaints = [text for text in tab.complaints if "status of 4" not in text]


def test_names_in_the_palette_and_in_dialogs_are_only_texts(tab, written):
    tab.open("/console")
    tab.page.keyboard.press("Control+k")
    for text in ["<img", "onload='", ATTACKS[3][:20]]:
        tab.page.get_by_role("combobox", name="Jump to").fill(text)
        expect(tab.page.get_by_role("option").first).to_be_visible()
    assert tab.page.evaluate(CALM)["attacked"] == 0


@pytest.mark.parametrize("path", list(FILES))
def test_files_do_nothing(tab, files, path):
    tab.open(f"/console/runs/{files}/artifacts?path={quote(path)}")
    preview = tab.page.get_by_role("region", name="Preview", exact=True)
    expect(preview).to_have_attribute("aria-busy", "false")
    if path.startswith("figure"):
        expect(preview.locator(".figure .main-svg").first).to_be_visible()
    for view in preview.locator(".segments button").all():
        view.click()
        if view.inner_text() == "With scripts" and path == "x.html":
            body = preview.frame_locator("iframe").locator("body")
            # The scripts run, in an origin that owns nothing.
            expect(body).to_have_attribute("data-ran", "1")
            expect(body).to_have_attribute("data-store", "none")
        assert tab.page.evaluate(CALM) == {"attacked": 0, "polluted": False, "foreign": 0}, view.inner_text()
    assert tab.page.url.startswith(tab.url)
    # The browser tells what it kept the frames and files from doing.
    kept = "Blocked script|Blocked form|Content Security Policy|violates|Unsafe attempt|Blocked autofocusing|Refused to|ERR_|Failed to load|Not allowed|sandbox|unexpected token|Unexpected"
    tab.complaints = [text for text in tab.complaints if not re.search(kept, text)]
    tab.foreign = [url for url in tab.foreign if not url.startswith("about:")]


def test_colours_of_code_add_nothing(tab, files):
    tab.open(f"/console/runs/{files}/artifacts?path=x.py")
    code = tab.page.locator(".preview pre code")
    expect(code.locator(".hljs-comment")).to_be_visible()
    assert code.evaluate("code => [...code.querySelectorAll('*')].every(element => element.tagName === 'SPAN' && element.attributes.length === 1)")
    assert code.text_content() == FILES["x.py"]


def test_a_figure_keeps_only_what_is_drawn(tab, files):
    tab.open(f"/console/runs/{files}/artifacts")
    cleaned = tab.page.evaluate("figure => JSON.stringify(window.apus.cleanFigure(JSON.parse(figure)))", json.dumps(FIGURE))
    for word in ["evil.example", "<a", "<img", "<script", "<svg", "scattergeo", "updatemenus", "polluted"]:
        assert word not in cleaned, word


def test_files_by_their_own_addresses_have_no_rights(api, files):
    for path in ["x.svg", "x.html", "x.md"]:
        answer = api.send("GET", "/get-artifact", params={"run_id": files, "path": path})
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["Content-Security-Policy"] and answer.headers["X-Content-Type-Options"] == "nosniff"
    live = api.send("GET", "/console/data/html", params={"run": files, "path": "x.html"})
    policy = live.headers["Content-Security-Policy"]
    assert "sandbox allow-scripts;" in policy and "allow-same-origin" not in policy and "default-src 'none'" in policy
    assert "connect-src" not in policy and live.headers["X-Frame-Options"] == "SAMEORIGIN"
    for path, code in [("x.svg", 400), ("x.md", 400), ("none.html", 404), ("../x.html", 400), ("", 400)]:
        assert api.send("GET", "/console/data/html", params={"run": files, "path": path}).status_code == code
    fragment = api.send("GET", "/console/data/markdown", params={"run": files, "path": "x.md"})
    assert "sandbox" in fragment.headers["Content-Security-Policy"] and "<script" not in fragment.text
