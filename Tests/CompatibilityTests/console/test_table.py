"""The table of runs in a real browser: trees, groups, columns, choices, views, and the keyboard."""

import re
import time
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from console.checks import contrast, nameless
from support.api import Api, unique

pytestmark = pytest.mark.apus_only


@pytest.fixture(scope="module")
def sweep(server):
    """An experiment with ten sweeps of three runs each, as its id; run 3 of each has a curve."""
    api = Api(server.url)
    experiment = api.experiment()
    for number in range(10):
        start = 1_700_000_000_000 + number * 1000
        parent = api.run(experiment, run_name=f"sweep {number}", start_time=start)
        for part in range(3):
            tags = [{"key": "mlflow.parentRunId", "value": parent}, {"key": "team", "value": "it's us"}]
            run = api.run(experiment, run_name=f"part {number}.{part}", start_time=start + part, tags=tags)
            metrics = [{"key": "train/loss", "value": 1 / (step + 1), "timestamp": 1, "step": step} for step in range(50)]
            metrics.append({"key": "acc", "value": number + part / 10, "timestamp": 1, "step": 0})
            params = [{"key": "model", "value": ["forest", "tree", "net"][part]}]
            api.post("runs/log-batch", run_id=run, metrics=metrics, params=params)
    return experiment


def grid(tab):
    return tab.page.locator(".vtable")


def rows(tab):
    """The names of the rows that are seen, from top to bottom."""
    return grid(tab).evaluate("""grid => [...grid.querySelectorAll(".vtable-row:not([hidden], .skeleton)")]
        .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
        .map(row => row.querySelector("a:not([hidden]), span:not([hidden])").textContent)""")


def cell(tab):
    """The text of the cell that the keyboard is at."""
    return grid(tab).evaluate("grid => document.getElementById(grid.getAttribute('aria-activedescendant'))?.textContent")


def test_the_filter_is_completed_by_keyboard_alone(tab, sweep):
    tab.open(f"/console/experiments/{sweep}")
    box = tab.page.get_by_role("combobox", name="Filter")
    box.focus()
    options = tab.page.get_by_role("listbox", name="Completions").get_by_role("option")
    tab.page.keyboard.type("loss")
    expect(options).to_have_text(["metrics.`train/loss`"])
    tab.page.keyboard.press("Tab")
    expect(options.first).to_have_text("<")
    tab.page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "filter-completion-0")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.type("1 ")
    expect(options).to_have_text(["AND", "OR"])
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.type("tags.team = '")
    expect(options).to_have_text(['"it\'s us"'])
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(box).to_have_value("metrics.`train/loss` < 1 AND tags.team = \"it's us\" ")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_text("30 runs", exact=True)).to_be_visible()


def test_a_mistake_is_marked_with_and_without_a_script(tab, sweep):
    tab.open(f"/console/experiments/{sweep}?filter={quote('metrics.acc > 1 AND params.model < 2')}")
    expect(tab.page.locator(".filter-mark")).to_have_text("2")
    box = tab.page.get_by_role("combobox", name="Filter")
    box.fill("metrics.acc >> 1")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".filter-mark")).to_have_text(">>")
    expect(box).to_have_attribute("aria-invalid", "true")
    # The table is not left for a filter that cannot be read, and a mended one is no longer blamed.
    box.fill("metrics.acc > 1")
    expect(tab.page.locator(".filter-mark")).to_have_count(0)


def test_children_are_shown_below_their_parents(tab, sweep):
    tab.open(f"/console/experiments/{sweep}")
    tree = tab.page.get_by_role("treegrid", name="Runs")
    expect(tree).to_have_attribute("aria-rowcount", "11")
    expect(tab.page.get_by_text("40 runs, 10 at the top")).to_be_visible()
    tab.page.get_by_role("button", name="Expand sweep 9").click()
    expect(tree).to_have_attribute("aria-rowcount", "14")
    expect(tree.get_by_role("row", name="part 9.0")).to_have_attribute("aria-level", "2")
    assert rows(tab)[:5] == ["sweep 9", "part 9.2", "part 9.1", "part 9.0", "sweep 8"]
    expect(tree.get_by_role("row", name="sweep 9")).to_have_attribute("aria-expanded", "true")
    tab.page.get_by_role("button", name="Collapse sweep 9").click()
    expect(tree).to_have_attribute("aria-rowcount", "11")
    tab.page.get_by_role("combobox", name="Rows").select_option("Flat")
    expect(tab.page.get_by_text("40 runs", exact=True)).to_be_visible()
    assert tab.page.url.endswith("rows=flat")


@pytest.mark.alone
def test_an_open_parent_stays_open_when_a_run_begins(tab, sweep):
    api = Api(tab.url)
    tab.open(f"/console/experiments/{sweep}")
    tab.page.get_by_role("button", name="Expand sweep 9").click()
    expect(grid(tab).get_by_text("part 9.1")).to_be_visible()
    run = api.run(sweep, run_name="the newest", start_time=1_800_000_000_000)
    expect(grid(tab).get_by_text("the newest")).to_be_visible(timeout=5_000)
    assert rows(tab)[:4] == ["the newest", "sweep 9", "part 9.2", "part 9.1"]
    api.post("runs/delete", run_id=run)
    expect(grid(tab).get_by_text("the newest")).to_have_count(0, timeout=5_000)


def test_groups_are_summed_up_and_expanded(tab, sweep):
    tab.open(f"/console/experiments/{sweep}?columns=metrics.acc")
    tab.page.get_by_role("combobox", name="Rows").select_option("By params.model")
    expect(tab.page.get_by_text("40 runs in 4 groups")).to_be_visible()
    assert rows(tab) == ["forest", "net", "tree", "(none)"] or rows(tab) == ["(none)", "forest", "net", "tree"]
    expect(grid(tab).get_by_role("row", name="forest")).to_contain_text("4.5")
    tab.page.get_by_role("combobox", name="Aggregate").select_option("max")
    expect(grid(tab).get_by_role("row", name="net")).to_contain_text("9.2")
    grid(tab).get_by_role("button", name="acc (max)").click()
    expect(grid(tab).locator("[aria-sort=descending]")).to_have_count(1)
    assert rows(tab) == ["net", "tree", "forest", "(none)"]
    tab.page.get_by_role("button", name="Expand net").click()
    expect(grid(tab).get_by_text("part 9.2")).to_be_visible()
    assert rows(tab)[:3] == ["net", "part 9.2", "part 8.2"]
    tab.page.reload()
    expect(tab.page.get_by_role("combobox", name="Aggregate")).to_have_value("max")


def test_runs_are_chosen_tagged_deleted_and_brought_back(tab, api):
    experiment = api.experiment()
    runs = [api.run(experiment, run_name=f"r{number}", start_time=1000 + number) for number in range(8)]
    tab.open(f"/console/experiments/{experiment}")
    tab.page.get_by_role("checkbox", name="Choose r7").click()
    tab.page.get_by_role("checkbox", name="Choose r3").click(modifiers=["Shift"])
    bar = tab.page.get_by_role("toolbar", name="Chosen runs")
    expect(bar).to_contain_text("5 runs chosen")
    tab.page.get_by_role("checkbox", name="Choose r4").click()
    expect(bar).to_contain_text("4 runs chosen")
    bar.get_by_role("button", name="Tag…").click()
    tab.page.get_by_role("textbox", name="Tag").fill("stage")
    tab.page.get_by_role("textbox", name="Value").fill("keep")
    tab.page.get_by_role("button", name="Set tag").click()
    expect(tab.page.get_by_role("status").get_by_text("4 runs tagged stage.").first).to_be_visible()
    tags = [{tag["key"]: tag["value"] for tag in api.read_run(run)["data"]["tags"]}.get("stage") for run in runs]
    assert tags == [None, None, None, "keep", None, "keep", "keep", "keep"]
    bar.get_by_role("button", name="Delete…").click()
    expect(tab.page.get_by_role("dialog", name="Delete 4 runs?")).to_be_visible()
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    expect(tab.page.get_by_text("4 runs", exact=True)).to_be_visible()
    expect(bar).to_be_hidden()
    assert len(api.run_ids(experiment)) == 4
    tab.page.get_by_role("button", name="Undo").click()
    expect(tab.page.get_by_text("8 runs", exact=True)).to_be_visible()
    assert len(api.run_ids(experiment)) == 8
    # All of them at once, which leaves nothing to see but the way back.
    tab.page.get_by_role("checkbox", name="Choose all found runs").click()
    expect(bar).to_contain_text("8 runs chosen")
    bar.get_by_role("button", name="Delete…").click()
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    expect(tab.page.get_by_text("No runs are left here")).to_be_visible()
    tab.page.get_by_role("button", name="Undo").click()
    expect(tab.page.get_by_text("8 runs", exact=True)).to_be_visible()
    expect(tab.page.get_by_text("No runs are left here")).to_be_hidden()


def test_a_curve_stands_in_its_cell(tab, sweep):
    tab.open(f"/console/experiments/{sweep}?rows=flat&columns={quote('metrics.train/loss')}")
    asked = []
    tab.page.on("request", lambda request: "sparklines" in request.url and asked.append(request.url))
    grid(tab).get_by_role("columnheader", name="train/loss").click(button="right")
    tab.page.get_by_role("menuitem", name="Show curve").click()
    line = grid(tab).get_by_role("row", name="part 9.0").locator("polyline")
    expect(line).to_have_attribute("points", re.compile(r"^(\d+\.\d,\d+\.\d ?){20,}$"))
    assert len(asked) == 1
    assert "curves=" in tab.page.url


def test_columns_are_found_moved_pinned_and_kept_in_a_view(tab, sweep):
    tab.open(f"/console/experiments/{sweep}")
    tab.page.get_by_role("button", name="Columns", exact=True).click()
    dialog = tab.page.get_by_role("dialog", name="Columns")
    dialog.get_by_role("searchbox").fill("/^(params|tags)/")
    dialog.get_by_role("button", name="Hide all found").click()
    dialog.get_by_role("searchbox").fill("")
    dialog.get_by_role("checkbox", name="tags.team").check()
    dialog.get_by_role("button", name="Move tags.team up").click()
    expect(dialog.get_by_role("button", name="Move tags.team up")).to_be_focused()
    tab.page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Pin metrics.train/loss").click()
    dialog.get_by_role("button", name="Apply").click()
    heads = grid(tab).get_by_role("columnheader")
    titles = lambda: [re.sub(r"[⋯↕]", "", text) for text in heads.all_text_contents()][1:]
    assert titles() == ["Run", "train/loss", "Status", "Started", "Duration", "team", "acc"]
    grid(tab).get_by_role("columnheader", name="acc").drag_to(grid(tab).get_by_role("columnheader", name="team"))
    assert titles() == ["Run", "train/loss", "Status", "Started", "Duration", "acc", "team"]
    name = unique("view")
    tab.page.locator("summary", has_text="Views").click()
    tab.page.get_by_role("textbox", name="Name of the view").fill(name)
    tab.page.get_by_role("button", name="Save").click()
    # The page comes again, with the view among the others.
    expect(tab.page.get_by_role("link", name=name, include_hidden=True)).to_be_attached()
    tab.page.locator("summary", has_text="Views").click()
    expect(tab.page.get_by_role("link", name=name)).to_be_visible()
    # Somebody else opens it.
    tab.open(f"/console/experiments/{sweep}")
    tab.page.locator("summary", has_text="Views").click()
    tab.page.get_by_role("link", name=name).click()
    expect(heads.nth(2)).to_contain_text("train/loss")
    assert titles() == ["Run", "train/loss", "Status", "Started", "Duration", "acc", "team"]
    tab.page.on("dialog", lambda dialog: dialog.accept())
    tab.page.locator("summary", has_text="Views").click()
    tab.page.get_by_role("button", name=f"Remove the view {name}").click()
    expect(tab.page.get_by_role("link", name=name)).to_have_count(0)


def test_the_grid_is_one_stop_and_worked_by_keys(tab, sweep):
    tab.open(f"/console/experiments/{sweep}?columns=metrics.acc")
    tab.page.get_by_role("button", name="Columns", exact=True).focus()
    tab.page.keyboard.press("Tab")
    expect(grid(tab)).to_be_focused()
    expect(grid(tab).locator("#runs-cell")).to_contain_text("sweep 9")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        tab.page.keyboard.press(key)
    expect(grid(tab)).to_have_attribute("aria-rowcount", "14")
    expect(grid(tab).locator("#runs-cell")).to_contain_text("part 9.1")
    tab.page.keyboard.press("Space")
    expect(grid(tab).get_by_role("row", name="part 9.1")).to_have_attribute("aria-selected", "true")
    tab.page.keyboard.press("Control+End")
    expect(grid(tab).locator("#runs-cell")).to_have_attribute("aria-colindex", "6")
    tab.page.keyboard.press("Control+Home")
    tab.page.keyboard.press("ArrowUp")
    for _ in range(5):
        tab.page.keyboard.press("ArrowRight")
    assert cell(tab).startswith("acc")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_text("Sorted by acc, descending.")).to_be_attached()
    expect(grid(tab).get_by_role("columnheader", name="acc")).to_have_attribute("aria-sort", "descending")
    tab.page.keyboard.press("Alt+ArrowDown")
    expect(tab.page.get_by_role("menuitem", name="Sort ascending")).to_be_focused()
    tab.page.keyboard.press("Escape")
    expect(grid(tab)).to_be_focused()
    # The next Tab leaves the grid.
    tab.page.keyboard.press("Tab")
    assert not grid(tab).evaluate("grid => grid.contains(document.activeElement)")
    grid(tab).focus()
    tab.page.keyboard.press("Control+Home")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/console/runs/*")


def test_a_search_is_not_lost_while_the_server_is_slow(tab, sweep):
    """What is typed is checked once the person rests; a search that began before then goes on."""

    def late(route):
        time.sleep(1.5)
        route.continue_()

    tab.open(f"/console/experiments/{sweep}")
    tab.page.route("**/console/data/filter?*", late)
    # At once, as a quick person does.
    tab.page.get_by_role("combobox", name="Filter").evaluate("""box => {
        box.value = "params.model = 'net'";
        box.dispatchEvent(new Event("input", { bubbles: true }));
        box.form.requestSubmit();
    }""")
    expect(tab.page).to_have_url(re.compile("filter=params"), timeout=20_000)


def test_rows_are_used_again_and_wide_tables_stay_small(tab, api):
    experiment = api.experiment()
    for number in range(150):
        run = api.run(experiment, run_name=f"r{number:03}", start_time=1000 + number)
        if number == 149:
            for part in range(3):
                metrics = [{"key": f"m{part}{column:02}", "value": column, "timestamp": 1, "step": 0} for column in range(100)]
                api.post("runs/log-batch", run_id=run, metrics=metrics)
    names = [f"metrics.m{part}{column:02}" for part in range(3) for column in range(100)]
    tab.open(f"/console/experiments/{experiment}?columns={quote(chr(10).join(names))}")
    expect(grid(tab).get_by_text("r149")).to_be_visible()
    grid(tab).evaluate("grid => { window.made = 0; new MutationObserver(list => { for (const entry of list) for (const node of entry.addedNodes) if (node.classList?.contains('vtable-row')) window.made++; }).observe(grid, { childList: true, subtree: true }); }")
    grid(tab).evaluate("grid => grid.scrollTo(0, grid.scrollHeight)")
    expect(grid(tab).get_by_text("r000")).to_be_visible()
    grid(tab).evaluate("grid => grid.scrollTo(grid.scrollWidth, 0)")
    expect(grid(tab).get_by_role("columnheader", name="m299")).to_be_visible()
    expect(grid(tab).get_by_role("row", name="r149")).to_contain_text("99")
    assert tab.page.evaluate("window.made") <= 3
    assert grid(tab).locator(".vtable-row").count() < 60
    assert grid(tab).locator("[role=gridcell]").count() < 60 * 25


@pytest.mark.alone
def test_a_page_without_runs_waits_for_the_first(tab, api):
    experiment = api.experiment()
    loads = []
    tab.page.on("framenavigated", lambda frame: loads.append(frame.url))
    with tab.page.expect_request("**/console/events?*"):
        tab.open(f"/console/experiments/{experiment}")
        expect(tab.page.get_by_text("No runs yet")).to_be_visible()
    assert len(loads) == 1
    api.run(experiment, run_name="first")
    expect(grid(tab).get_by_text("first")).to_be_visible(timeout=5_000)


def test_an_experiment_is_edited_deleted_and_restored(tab, api):
    experiment = api.experiment(tags=[{"key": "team", "value": "red"}])
    name = unique("it's 100%")
    tab.open(f"/console/experiments/{experiment}")
    tab.page.get_by_role("button", name="Edit").click()
    dialog = tab.page.get_by_role("dialog", name="Edit the experiment")
    dialog.get_by_role("textbox", name="Name").fill(name)
    dialog.get_by_role("textbox", name="Description").fill("What it is for")
    dialog.get_by_role("button", name="Remove the tag team").click()
    dialog.get_by_role("textbox", name="New tag").fill("stage")
    dialog.get_by_role("textbox", name="Value").fill("test")
    dialog.get_by_role("button", name="Save").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(name)
    expect(tab.page.locator(".note")).to_have_text("What it is for")
    expect(tab.page.locator("[data-tag]")).to_have_text(["stage: test"])
    # The name box takes every character as it is.
    tab.open("/console/experiments")
    tab.page.get_by_role("searchbox", name="Name contains").fill(name.upper())
    tab.page.get_by_role("button", name="Search").click()
    tab.page.get_by_role("link", name=name).click()
    tab.page.get_by_role("button", name="Edit").click()
    dialog.get_by_role("button", name="Delete…").click()
    tab.page.get_by_role("dialog", name=f"Delete {name}?").get_by_role("button", name="Delete").click()
    tab.page.get_by_role("button", name="Restore").click()
    expect(tab.page.get_by_role("button", name="Edit")).to_be_visible()
    assert api.get("experiments/get", experiment_id=experiment)["experiment"]["lifecycle_stage"] == "active"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280])
def test_all_that_floats_has_contrast_names_and_room(tab, sweep, theme, width):
    tab.page.emulate_media(color_scheme=theme)
    tab.page.set_viewport_size({"width": width, "height": 800})
    tab.open(f"/console/experiments/{sweep}?curves={quote('metrics.train/loss')}&filter=metrics.")
    assert contrast(tab.page) == []
    tab.open(f"/console/experiments/{sweep}")
    tab.page.get_by_role("button", name="Expand sweep 9").click()
    tab.page.get_by_role("checkbox", name="Choose sweep 9").click()
    openers = [lambda: tab.page.get_by_role("combobox", name="Filter").click(),
               lambda: tab.page.locator("summary", has_text="Views").click(),
               lambda: tab.page.get_by_role("button", name="Tag…").click(),
               lambda: tab.page.get_by_role("button", name="Columns", exact=True).click()]
    for opener in openers:
        opener()
        assert contrast(tab.page) == []
        assert nameless(tab.page) == []
        assert tab.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        tab.page.keyboard.press("Escape")
