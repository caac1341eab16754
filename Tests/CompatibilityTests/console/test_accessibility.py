"""What a person with a keyboard, a reader of screens or weak eyes meets, on every page and in both themes."""

import pytest
from playwright.sync_api import expect

from console.artifacts import FIGURE, MODEL, run_with
from console.conftest import Tab
from support.api import Api, unique

pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]

CHECKS = """() => {
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ratio = (one, other) => {
        const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05);
    };
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
            if (colour[3] > 0) return null;
        }
        return [255, 255, 255];
    };
    const bad = [];
    const tell = (what, element) => bad.push(`${what}: ${element.outerHTML.slice(0, 140)}`);
    const seen = [...document.querySelectorAll("body *")].filter(element => element.checkVisibility() && !element.closest(".js-plotly-plot"));
    for (const element of seen) {
        const style = getComputedStyle(element);
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        if (own && !element.matches(":disabled, .skip, .skeleton, option")) {
            const ground = behind(element);
            if (ground && ratio(parse(style.color), ground) < 4.5) tell(`contrast ${ratio(parse(style.color), ground).toFixed(2)}`, element);
        }
        if (element.matches("input:not([type=checkbox], [type=radio], [type=range], [role=combobox], :disabled), select:not(:disabled), textarea")) {
            const ground = behind(element.parentElement);
            if (ground && ratio(parse(style.borderTopColor), ground) < 3) tell("edge of a control", element);
        }
        if (element.matches("a[href], button, input:not([type=hidden]), select, textarea, nav, iframe, dialog, [role=grid], [role=tree], [role=region], [role=img], table")) {
            const labelled = (element.getAttribute("aria-labelledby") ?? "").split(" ").some(id => document.getElementById(id)?.textContent);
            const named = element.ariaLabel || labelled || element.title || element.labels?.length || (element.matches("a, button") && (element.textContent.trim() || element.querySelector("img[alt]")));
            if (!named && !element.matches(".markdown table")) tell("without a name", element);
        }
        if (element.matches("img:not([alt])")) tell("picture without a text", element);
        if (element.matches("a:not([href]), [onclick]")) tell("acts, but is neither link nor button", element);
        if (element.tabIndex > 0) tell("changes the order of the Tab key", element);
        if (element.matches("th:not([scope])") && !element.closest(".markdown")) tell("head of a table without a scope", element);
        for (const name of ["aria-controls", "aria-labelledby", "aria-describedby", "aria-activedescendant"]) {
            for (const id of (element.getAttribute(name) ?? "").split(" ").filter(Boolean)) if (!document.getElementById(id)) tell(`${name} leads nowhere`, element);
        }
        if (element.matches("[role=option]") && !element.closest("[role=listbox]")) tell("option outside of a list", element);
        if (element.matches("[role=row]") && !element.closest("[role=grid], table")) tell("row outside of a grid", element);
        if (element.matches("[role=treeitem]") && !element.closest("[role=tree]")) tell("item outside of a tree", element);
    }
    const ids = [...document.querySelectorAll("[id]")].filter(element => !element.closest(".js-plotly-plot")).map(element => element.id);
    for (const id of new Set(ids)) if (ids.filter(other => other === id).length > 1) bad.push(`id ${id} twice`);
    const headings = seen.filter(element => element.matches("h1, h2, h3, h4, h5, h6") && !element.closest(".chart")).map(element => Number(element.tagName[1]));
    if (headings.filter(level => level === 1).length !== 1) bad.push("not one first heading");
    headings.forEach((level, place) => { if (place && level > headings[place - 1] + 1) bad.push(`heading ${level} follows ${headings[place - 1]}`); });
    if (document.querySelectorAll("main").length !== 1 || !document.documentElement.lang) bad.push("no main part or language");
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wide > 0) bad.push(`${wide} px wider than its window`);
    return bad;
}"""

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
    chosen = "&".join(f"run={run}" for run in runs)
    artifacts = f"/console/runs/{files}/artifacts"
    return [
        "/console", "/console/experiments", "/console/experiments?name=nothing+like+it", f"/console/experiments/{experiment}",
        f"/console/experiments/{experiment}?filter=metrics.", f"/console/runs/{runs[0]}", f"/console/runs/{runs[0]}/charts",
        f"/console/runs/{runs[0]}/artifacts", f"/console/runs/{runs[0]}/models", "/console/compare", f"/console/compare?{chosen}",
        "/console/models", f"/console/models/{model}", f"/console/models/{model}/versions/1", "/console/system", "/console/styleguide",
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
    for path in ["/console", "/console/styleguide", pages[3], pages[-8]]:
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
