"""The Console in a real browser, while the official client logs."""

import re
import time
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from console.conftest import Tab
from support.api import unique

pytestmark = pytest.mark.apus_only

ATTACK = "<img src=x onerror=\"window.attacked=1\"><script>window.attacked=1</script>"


def until(condition, seconds: float) -> bool:
    """Whether the condition comes true in time; the page's policy lets no test wait inside of it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def filled(server):
    """An experiment with 250 runs, as (id, ids of the runs)."""
    from support.api import Api

    api = Api(server.url)
    experiment = api.experiment()
    runs = []
    for number in range(250):
        run = api.run(experiment, run_name=f"run {number:03}", start_time=1_700_000_000_000 + number)
        metrics = [{"key": "acc", "value": number / 250, "timestamp": 1, "step": 0}]
        api.post("runs/log-batch", run_id=run, metrics=metrics, params=[{"key": "kind", "value": "even" if number % 2 == 0 else "odd"}])
        runs.append(run)
    return experiment, runs


def test_a_new_server_tells_how_to_begin(chromium, start_server):
    tab = Tab(chromium, start_server().url)
    tab.open("/")
    expect(tab.page.get_by_text("Log your first run")).to_be_visible()
    expect(tab.page.locator("code")).to_contain_text(f'mlflow.set_tracking_uri("{tab.url}")')
    tab.context.close()
    assert not tab.complaints and not tab.foreign


@pytest.mark.parametrize("path, heading", [
    ("/console", "Home"), ("/console/experiments", "Experiments"), ("/console/models", "Registered models"),
    ("/console/system", "System"), ("/console/styleguide", "Style guide"), ("/console/compare", "Compare 0 runs"),
])
def test_every_page_opens(tab, path, heading):
    assert tab.open(path).status == 200
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(tab.page.get_by_role("main")).to_be_visible()


def test_a_page_that_is_not_there_says_so(chromium, server):
    tab = Tab(chromium, server.url)
    assert tab.open("/console/runs/none").status == 404
    expect(tab.page.get_by_role("alert")).to_contain_text("not found")
    tab.context.close()


def test_the_table_holds_all_runs_and_few_rows(tab, filled):
    experiment, _ = filled
    tab.open(f"/console/experiments/{experiment}")
    grid = tab.page.get_by_role("grid", name="Runs")
    expect(grid.get_by_text("run 249")).to_be_visible()
    expect(tab.page.get_by_text("250 runs")).to_be_visible()
    assert grid.locator(".vtable-row").count() < 60
    grid.evaluate("grid => grid.scrollTo(0, grid.scrollHeight)")
    expect(grid.get_by_text("run 000")).to_be_visible()
    assert grid.locator(".vtable-row").count() < 60


def test_the_table_is_sorted_filtered_and_remembered(tab, filled):
    experiment, _ = filled
    tab.open(f"/console/experiments/{experiment}")
    grid = tab.page.get_by_role("grid", name="Runs")
    grid.get_by_role("button", name="acc").click()
    expect(grid.locator(".vtable-row a").first).to_have_text("run 249")
    grid.get_by_role("button", name="acc").click()
    expect(grid.get_by_text("run 000")).to_be_visible()
    assert "order=" in tab.page.url
    tab.page.get_by_role("combobox", name="Filter").fill("metrics.acc > 0.9 AND params.kind = 'odd'")
    tab.page.get_by_role("button", name="Search").click()
    expect(tab.page.get_by_text("12 runs")).to_be_visible()
    tab.page.reload()
    expect(tab.page.get_by_role("combobox", name="Filter")).to_have_value("metrics.acc > 0.9 AND params.kind = 'odd'")


def test_a_wrong_filter_is_explained(tab, filled):
    tab.open(f"/console/experiments/{filled[0]}?filter=metrics.")
    expect(tab.page.get_by_role("alert")).to_contain_text("Invalid clause(s) in filter string")


def test_chosen_runs_are_compared(tab, filled):
    experiment, _ = filled
    tab.open(f"/console/experiments/{experiment}")
    for name in ("run 249", "run 248", "run 247"):
        tab.page.get_by_role("checkbox", name=f"Choose {name}").check()
    tab.page.get_by_role("button", name="Compare 3").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Compare 3 runs")
    expect(tab.page.locator("tr.diff-changed").first).to_contain_text("kind")
    expect(tab.page.locator(".chart .plot svg").first).to_be_visible(timeout=15_000)


def test_a_run_appears_while_the_client_logs(tab, client):
    import mlflow

    name = unique("live")
    tab.open("/console")
    mlflow.set_experiment(unique("exp"))
    with mlflow.start_run(run_name=name) as run:
        expect(tab.page.get_by_role("link", name=name).first).to_be_visible(timeout=3_000)
        tab.open(f"/console/runs/{run.info.run_id}")
        expect(tab.page.get_by_text("Running", exact=True)).to_be_visible()
        mlflow.log_metric("loss", 0.125)
        expect(tab.page.get_by_text("0.125")).to_be_visible(timeout=3_000)
    expect(tab.page.get_by_text("Finished", exact=True)).to_be_visible(timeout=3_000)


def test_a_curve_is_drawn_and_grows(tab, client):
    import mlflow

    mlflow.set_experiment(unique("exp"))
    with mlflow.start_run() as run:
        for step in range(20):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        tab.open(f"/console/runs/{run.info.run_id}/charts")
        last = "document.querySelector('.plot')?.data?.[0]?.x.at(-1) ?? -1"
        assert until(lambda: tab.page.evaluate(last) == 19, 15)
        mlflow.log_metric("loss", 0, step=20)
        assert until(lambda: tab.page.evaluate(last) == 20, 3)


def test_artifacts_are_previewed_and_do_nothing(tab, client):
    import mlflow

    mlflow.set_experiment(unique("exp"))
    with mlflow.start_run() as run:
        mlflow.log_text("a,b\n1,\"x,y\"\n", "data/table.csv")
        mlflow.log_dict({"deep": [1, 2]}, "config.json")
        mlflow.log_text(f"<h1>Report</h1>{ATTACK}<script>parent.attacked=1</script>", "report.html")
        mlflow.log_text(f"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload='window.attacked=1'>{ATTACK}</svg>", "x.svg")
        mlflow.log_text(ATTACK, "notes.md")
    tab.open(f"/console/runs/{run.info.run_id}/artifacts")
    tree, preview = tab.page.locator("[data-tree]"), tab.page.locator("[data-preview]")
    tree.get_by_role("button", name="data").click()
    tree.get_by_role("button", name="table.csv").click()
    expect(preview.get_by_role("cell", name="x,y")).to_be_visible()
    tree.get_by_role("button", name="config.json").click()
    expect(preview.locator("pre")).to_contain_text('"deep": [')
    tree.get_by_role("button", name="notes.md").click()
    expect(preview.locator("pre")).to_have_text(ATTACK)
    tree.get_by_role("button", name="x.svg").click()
    expect(preview.locator("img")).to_be_visible()
    tree.get_by_role("button", name="report.html").click()
    expect(preview.frame_locator("iframe").get_by_role("heading", name="Report")).to_be_visible()
    assert tab.page.evaluate("window.attacked") is None
    # The browser says that it blocked the page's scripts: that is what is wanted here.
    tab.complaints = [text for text in tab.complaints if not re.search("Blocked script execution|Content Security Policy|violates", text)]
    tab.foreign = [url for url in tab.foreign if not url.startswith("about:srcdoc")]


def test_hostile_texts_are_only_text(tab, api, client):
    experiment = api.experiment(ATTACK + unique(), tags=[{"key": "t", "value": ATTACK}])
    run = api.run(experiment, run_name=ATTACK, tags=[{"key": "mlflow.note.content", "value": ATTACK}, {"key": "t", "value": ATTACK}])
    api.post("runs/log-parameter", run_id=run, key="p", value=ATTACK)
    api.metric(run, "m", 1)
    name = f"model-{unique()}'\"&<b>"
    api.model(name, description=ATTACK, tags=[{"key": "t", "value": ATTACK}])
    api.post("model-versions/create", name=name, source="s3://bucket/" + "a<b>", description=ATTACK)
    quoted = quote(name, safe="")
    for path in ["/console", "/console/experiments", f"/console/experiments/{experiment}", f"/console/runs/{run}",
                 f"/console/runs/{run}/charts", f"/console/runs/{run}/models", f"/console/compare?run={run}",
                 "/console/models", f"/console/models/{quoted}", f"/console/models/{quoted}/versions/1"]:
        assert tab.open(path).status == 200, path
        tab.page.wait_for_timeout(200)
        assert tab.page.evaluate("window.attacked") is None, path
        assert tab.page.locator("main img[src=x]").count() == 0, path


def test_the_palette_by_keyboard_alone(tab, api):
    name = unique("findme")
    experiment = api.experiment(name)
    tab.open("/console")
    tab.page.keyboard.press("Control+k")
    tab.page.keyboard.type(name)
    expect(tab.page.get_by_role("option", name=re.compile(name))).to_be_visible()
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"**/console/experiments/{experiment}")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(name)


def test_addresses_that_mlflows_client_prints_lead_here(tab, filled):
    experiment, runs = filled
    tab.open(f"/#/experiments/{experiment}/runs/{runs[0]}")
    tab.page.wait_for_url(f"**/console/runs/{runs[0]}")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("run 000")


@pytest.mark.parametrize("width", [380, 2560])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_is_wider_than_its_window(chromium, server, filled, width, theme):
    experiment, runs = filled
    tab = Tab(chromium, server.url)
    tab.page.set_viewport_size({"width": width, "height": 900})
    tab.page.emulate_media(color_scheme=theme)
    for path in ["/console", "/console/experiments", f"/console/experiments/{experiment}", f"/console/runs/{runs[0]}",
                 f"/console/compare?run={runs[0]}&run={runs[1]}", "/console/models", "/console/system", "/console/styleguide"]:
        tab.open(path)
        wide = tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    tab.context.close()
    assert not tab.complaints


CONTRAST = """() => {
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
            if (colour[3] > 0) return null;
        }
        return [255, 255, 255];
    };
    const bad = [];
    for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        if (!own || !element.checkVisibility() || element.matches(":disabled, .skip, .skeleton, option")) continue;
        const ground = behind(element);
        if (!ground) continue;
        const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground)].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) bad.push(`${element.tagName}.${element.className}: ${ratio.toFixed(2)} ${element.textContent.slice(0, 40)}`);
    }
    return bad;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/console", "/console/styleguide", "/console/experiments", "/console/models"])
def test_texts_have_contrast(tab, filled, theme, path):
    tab.page.emulate_media(color_scheme=theme)
    tab.open(path)
    assert tab.page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("path", ["/console", "/console/experiments", "/console/models", "/console/styleguide"])
def test_everything_that_acts_has_a_name(tab, path):
    tab.open(path)
    nameless = tab.page.evaluate("""() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, table, nav, iframe, img")]
        .filter(element => element.checkVisibility())
        .filter(element => !(element.ariaLabel || element.textContent.trim() || element.title || element.labels?.length || element.hasAttribute("alt")))
        .map(element => element.outerHTML.slice(0, 200))""")
    assert nameless == []
