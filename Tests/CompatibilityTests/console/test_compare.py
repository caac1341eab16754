"""Charts and comparisons of runs in a real browser."""

import csv
import os
import re
import struct
import uuid
import zlib

import pytest
from playwright.sync_api import expect

from console.checks import ATTACK, contrast, until

pytestmark = pytest.mark.apus_only


@pytest.fixture(autouse=True)
def once(database):
    """What the scripts ask for is tested with both databases elsewhere; what they do with it is the same for both."""
    if database == "postgres" and os.environ.get("COMPAT_DATABASES", "sqlite,postgres") != "postgres":
        pytest.skip("the same as with SQLite")


SPIKE = 12_345
START = 1_700_000_000_000


def png() -> bytes:
    """A picture of one red point."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def sweep(server):
    """Eight runs of which `kind` decides the score, and that begin an hour apart."""
    from support.api import Api

    api = Api(server.url)
    experiment = api.experiment()
    runs = []
    for number in range(8):
        begin = START + number * 3_600_000
        kind = "even" if number % 2 == 0 else "odd"
        run = api.run(experiment, run_name=f"{kind} {number}" if number else ATTACK, start_time=begin)
        metrics = []
        for step in range(50):
            at = {"timestamp": begin + step * 1000 * (number + 1), "step": step}
            metrics.append({"key": "loss", "value": "NaN" if (number, step) == (1, 20) else 10 / (step + 1) + number, **at})
            metrics.append({"key": "epoch", "value": step / 10, **at})
        metrics.append({"key": "score", "value": (5 if kind == "even" else 1) + number / 100, "timestamp": begin, "step": 0})
        params = {"kind": kind, "lr": str(10.0 ** -(number % 3 + 1)), "same": "1", "size": str(number)}
        api.post("runs/log-batch", run_id=run, metrics=metrics, params=[{"key": key, "value": value} for key, value in params.items()])
        runs.append(run)
    return runs


def compare(runs, query: str = "") -> str:
    return "/console/compare?" + "&".join(f"run={run}" for run in runs) + query


def chart(tab, key: str):
    """The chart of a metric, once it is drawn."""
    element = tab.page.locator(".chart").filter(has=tab.page.get_by_role("heading", name=key, exact=True))
    element.scroll_into_view_if_needed()
    expect(element.locator(".plot svg").first).to_be_visible()
    return element


def traces(element, of: str = "trace => trace.name") -> list:
    """What is said about each line of a chart, without what marks and bands add."""
    return element.locator(".plot").evaluate(
        f"plot => (plot.data ?? []).filter(trace => trace.showlegend !== false).map({of})")


def test_runs_are_drawn_hidden_and_pinned(tab, sweep):
    tab.open(compare(sweep[:3]))
    loss = chart(tab, "loss")
    # The baseline is drawn last, above the others.
    assert traces(loss, "trace => trace.name.slice(0, 4) + trace.line.width") == ["odd 1.5", "even1.5", "&lt;3"]
    assert traces(loss, "trace => trace.y.length") == [50, 50, 50]
    assert loss.locator(".plot").evaluate("plot => plot.data.at(-1).marker.symbol") == ["x"]
    expect(loss.locator(".chart-note")).to_contain_text("NaN")
    tab.page.get_by_role("checkbox", name="even 2").uncheck()
    assert until(lambda: len(traces(loss)) == 2)
    tab.page.get_by_role("button", name="Compare with odd 1").click()
    assert until(lambda: traces(loss, "trace => trace.line.width") == [1.5, 3])
    loss.get_by_text("Values").click()
    row = loss.get_by_role("row").nth(1)
    expect(row).to_contain_text("0.2")
    expect(row).to_contain_text("-1")
    tab.page.reload()
    loss = chart(tab, "loss")
    assert traces(loss, "trace => trace.line.width") == [1.5, 3]
    assert tab.page.evaluate("window.attacked") is None


def test_a_zoom_asks_for_finer_data_and_is_kept(tab, api):
    run = api.run(api.experiment())
    for start in range(0, 20_000, 1000):
        points = [{"key": "loss", "value": 99 if step == SPIKE else 1 + step % 7, "timestamp": step, "step": step} for step in range(start, start + 1000)]
        api.post("runs/log-batch", run_id=run, metrics=points)
    tab.open(f"/console/runs/{run}/charts")
    loss = chart(tab, "loss")
    assert traces(loss, "trace => Math.max(...trace.y)") == [99]
    assert traces(loss, "trace => trace.x.length")[0] < 4_000
    expect(loss.locator(".chart-note")).to_contain_text("of 20,000 points")
    plot = loss.locator(".plot")
    box = plot.bounding_box()
    left, width = plot.evaluate("plot => [plot._fullLayout.xaxis._offset, plot._fullLayout.xaxis._length]")
    middle = box["x"] + left + width * SPIKE / 20_000
    with tab.page.expect_request(lambda request: "data/series" in request.url and "from=" in request.url):
        tab.page.mouse.move(middle - 12, box["y"] + 60)
        tab.page.mouse.down()
        tab.page.mouse.move(middle + 12, box["y"] + 60, steps=4)
        tab.page.mouse.up()
    steps = "trace => trace.x.includes(12345) && trace.x.every((x, place) => place === 0 || x - trace.x[place - 1] === 1)"
    assert until(lambda: traces(loss, steps) == [True])
    assert until(lambda: "zoom=" in tab.page.url)
    tab.page.reload()
    loss = chart(tab, "loss")
    assert until(lambda: traces(loss, steps) == [True])
    loss.get_by_role("button", name="Show all of the chart").click()
    assert until(lambda: traces(loss, "trace => trace.x[0]") == [0])
    assert "zoom=" not in tab.page.url


def test_groups_have_a_mean_and_a_band(tab, sweep):
    tab.open(compare(sweep))
    loss = chart(tab, "loss")
    assert len(traces(loss)) == 8
    tab.page.get_by_label("Group by").select_option("kind")
    assert until(lambda: len(traces(loss)) == 2)
    assert traces(loss, "trace => [trace.name, trace.y[0]]") == [["even (4)", 13], ["odd (4)", 14]]
    band = "plot => plot.data.filter(trace => trace.fill === 'tonexty').map(trace => trace.y[0])"
    assert [round(y, 6) for y in loss.locator(".plot").evaluate(band)] == [round(13 + 5**0.5, 6), round(14 + 5**0.5, 6)]
    tab.page.get_by_label("Band").select_option("Lowest to highest")
    assert until(lambda: loss.locator(".plot").evaluate(band) == [16, 17])
    tab.page.reload()
    assert traces(chart(tab, "loss")) == ["even (4)", "odd (4)"]


def test_settings_are_in_the_address(tab, sweep):
    tab.open(compare(sweep[:2]))
    chart(tab, "loss")
    tab.page.get_by_label("Log X").check()
    tab.page.get_by_label("Log Y").check()
    tab.page.get_by_label("Cut off outliers").check()
    tab.page.get_by_label("Smoothing").fill("0.5")
    tab.page.get_by_label("Find metrics").fill("/^lo/")
    expect(tab.page.locator(".chart")).to_have_count(1)
    tab.page.reload()
    loss = chart(tab, "loss")
    assert loss.locator(".plot").evaluate("plot => [plot.layout.xaxis.type, plot.layout.yaxis.type]") == ["log", "log"]
    # The raw line stays as a ghost.
    assert loss.locator(".plot").evaluate("plot => plot.data.filter(trace => trace.opacity < 1).length") == 2
    assert traces(loss, "trace => trace.y[1]")[0] != 6
    expect(tab.page.get_by_label("Cut off outliers")).to_be_checked()
    expect(tab.page.get_by_label("Find metrics")).to_have_value("/^lo/")


def test_the_axis_counts_what_was_chosen(tab, sweep):
    tab.open(compare(sweep[:2], f"&y=difference&base={sweep[1]}"))
    loss = chart(tab, "loss")
    assert traces(loss, "trace => [trace.x.at(-1), trace.y[0]]") == [[49, -1], [49, 0]]
    axis = tab.page.locator(".toolbar select").first
    axis.select_option("Relative time")
    assert until(lambda: traces(loss, "trace => trace.x.at(-1)") == [49, 98])
    axis.select_option("Wall time")
    shift = tab.page.evaluate(f"new Date({START}).getTimezoneOffset() * 60000")
    assert until(lambda: traces(loss, "trace => trace.x.at(-1)") == [START + 49_000 - shift, START + 3_698_000 - shift])
    axis.select_option("Metric…")
    tab.page.get_by_label("Metric of the X axis").fill("epoch")
    tab.page.keyboard.press("Enter")
    assert until(lambda: traces(loss, "trace => trace.x.at(-1)") == [4.9, 4.9])
    assert "axis=metric%3Aepoch" in tab.page.url


def test_the_cursor_is_in_all_charts_and_the_keyboard_reaches_everything(tab, sweep):
    tab.open(compare(sweep[:3]))
    loss, epoch = chart(tab, "loss"), chart(tab, "epoch")
    box = epoch.locator(".plot").bounding_box()
    tab.page.mouse.move(box["x"] + 200, box["y"] + 100)
    tab.page.mouse.move(box["x"] + 220, box["y"] + 100)
    expect(loss.locator(".chart-cursor")).to_be_visible()
    step = epoch.locator(".chart-tip p").inner_text()
    expect(loss.locator(".chart-tip p")).to_have_text(step)
    expect(loss.locator(".chart-tip")).to_contain_text("odd 1")
    tab.page.mouse.move(5, 5)
    expect(loss.locator(".chart-cursor")).to_be_hidden()
    loss.locator(".plot").focus()
    for key in ["Home", "ArrowRight", "ArrowRight"]:
        tab.page.keyboard.press(key)
        expect(loss.locator(".chart-cursor")).to_be_visible()
    expect(loss.get_by_role("status")).to_contain_text(re.compile("Step 2: .*even 2 5.33333, odd 1 4.33333"))
    assert "last" in loss.locator(".plot").get_attribute("aria-label")
    tab.page.keyboard.press("+")
    assert until(lambda: "zoom=" in tab.page.url)
    tab.page.keyboard.press("Escape")
    assert until(lambda: "zoom=" not in tab.page.url)
    loss.get_by_role("button", name="Enlarge").press("Enter")
    assert until(lambda: loss.bounding_box()["width"] > 1000)
    assert "large=loss" in tab.page.url


def test_what_is_drawn_is_downloaded(tab, sweep):
    tab.open(compare(sweep[:2]))
    loss = chart(tab, "loss")
    with tab.page.expect_download() as download:
        loss.get_by_role("button", name="CSV").click()
    with open(download.value.path(), newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["run_id", "run", "Step", "loss"] and len(rows) == 101
    assert rows[1][0] == sweep[0] and rows[1][3] == "10"
    with tab.page.expect_download() as download:
        loss.get_by_role("button", name="SVG").click()
    with open(download.value.path()) as file:
        picture = file.read()
    assert picture.startswith("<svg") and "odd 1" in picture and "<script" not in picture


def test_parallel_coordinates_are_brushed(tab, sweep):
    tab.open(compare(sweep, "&view=relations"))
    expect(tab.page.locator(".parallel-line")).to_have_count(8)
    axis = tab.page.get_by_role("slider", name="Keep runs by score")
    box = axis.bounding_box()
    tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 2)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    tab.page.mouse.up()
    expect(tab.page.get_by_text("4 of 8 runs")).to_be_visible()
    tab.page.reload()
    expect(tab.page.get_by_text("4 of 8 runs")).to_be_visible()
    # The keyboard narrows it further.
    kind = tab.page.get_by_role("slider", name="Keep runs by kind")
    kind.press("ArrowUp")
    expect(tab.page.get_by_text("0 of 8 runs")).to_be_visible()
    kind.press("Escape")
    tab.page.get_by_role("link", name="Compare only these").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Compare 4 runs")
    assert tab.page.evaluate("window.attacked") is None


def test_each_relation_is_drawn(tab, sweep):
    tab.open(compare(sweep, "&view=relations&plot=scatter&x=params.size&y=metrics.score&z=params.kind"))
    plot = tab.page.locator(".relation-plot")
    shown = "plot => plot.data?.map(trace => [trace.type, trace.x?.length ?? trace.y.length])"
    assert until(lambda: plot.count() and plot.evaluate(shown) == [["scatter", 4], ["scatter", 4]])
    tab.page.get_by_label("Colour").select_option("loss")
    assert until(lambda: plot.evaluate(shown) == [["scatter", 8]])
    for name, expected in [
        ("Contour", [["contour", 8], ["scatter", 8]]), ("Bars", [["bar", 8]]), ("Box", [["box", 1]] * 8),
    ]:
        tab.page.get_by_role("button", name=name).click()
        assert until(lambda: plot.count() and plot.evaluate(shown) == expected), name
    tab.page.get_by_role("group", name="What is drawn").get_by_role("combobox").first.select_option("kind")
    assert until(lambda: plot.evaluate(shown) == [["box", 4], ["box", 4]])
    tab.page.get_by_role("button", name="Bars").click()
    tab.page.get_by_label("Metric").select_option("loss")
    tab.page.get_by_label("Value").select_option("Highest")
    assert until(lambda: plot.evaluate("plot => plot.data[0].x[0]") == 17)
    tab.page.reload()
    assert until(lambda: plot.count() and plot.evaluate("plot => plot.data?.[0].x[0]") == 17)


def test_importance_names_the_param_that_matters(tab, sweep):
    tab.open(compare(sweep, "&view=relations&plot=importance&y=metrics.score"))
    table = tab.page.get_by_role("table", name="Importance of params for score")
    expect(table.get_by_role("row").nth(1)).to_contain_text("kind")
    expect(tab.page.get_by_text("no proof of a cause")).to_be_visible()
    tab.open(compare(sweep[:4], "&view=relations&plot=importance"))
    expect(tab.page.get_by_text("at least 5 runs")).to_be_visible()


def test_images_stand_side_by_side(tab, client, tmp_path):
    import mlflow

    (tmp_path / "plot.png").write_bytes(png())
    (tmp_path / "notes.txt").write_text("no image")
    mlflow.set_experiment("images")
    runs = []
    for name in ("left", "right"):
        with mlflow.start_run(run_name=name) as run:
            mlflow.log_artifacts(str(tmp_path), "deep/figures")
            runs.append(run.info.run_id)
    with mlflow.start_run(run_name="none") as run:
        runs.append(run.info.run_id)
    tab.open(compare(runs, "&view=images"))
    table = tab.page.get_by_role("table", name="Images")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table.get_by_role("rowheader")).to_have_text("deep/figures/plot.png")
    assert until(lambda: table.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)") == [1, 1])
    table.get_by_role("button", name="Enlarge deep/figures/plot.png of right").click()
    expect(tab.page.get_by_role("dialog", name="Image")).to_be_visible()
    tab.page.keyboard.press("Escape")
    tab.open(compare(runs[2:], "&view=images"))
    expect(tab.page.get_by_text("No images")).to_be_visible()


def test_images_are_matched_by_key_and_step(tab, client, tmp_path):
    import mlflow

    mlflow.set_experiment("images by step")
    runs = []
    for number in range(2):
        with mlflow.start_run() as run:
            for step in (2, 10):
                for end in (".png", "+compressed.webp"):
                    name = f"val~sample+step+{step}+timestamp+17000000{number}+{uuid.uuid4()}{end}"
                    (tmp_path / name).write_bytes(png())
                    mlflow.log_artifact(str(tmp_path / name), "images")
            runs.append(run.info.run_id)
    tab.open(compare(runs, "&view=images"))
    table = tab.page.get_by_role("table", name="Images")
    expect(table.get_by_role("rowheader")).to_have_text(["images/val/sample, step 2", "images/val/sample, step 10"])
    expect(table.locator("img")).to_have_count(4)
    assert all(".png" in source for source in table.locator("img").evaluate_all("images => images.map(image => image.src)"))


def test_a_chart_appears_while_the_client_logs(tab, api):
    run = api.run(api.experiment())
    tab.open(f"/console/runs/{run}/charts")
    expect(tab.page.get_by_text("No metrics")).to_be_visible()
    api.metric(run, "first", 1)
    expect(tab.page.locator(".chart h3")).to_have_text(["first"])
    expect(tab.page.get_by_text("No metrics")).to_have_count(0)
    api.metric(run, "second", 1)
    api.metric(run, "system/cpu", 1)
    expect(tab.page.locator(".chart h3")).to_have_text(["first", "second"])


def test_differences_follow_what_is_typed(tab, sweep):
    tab.open(compare(sweep[:3], "&view=differences"))
    params = tab.page.get_by_role("table", name="Params")
    expect(params.get_by_role("rowheader", name="same")).to_be_visible()
    tab.page.get_by_label("Only differences").check()
    expect(params.get_by_role("rowheader", name="same")).to_have_count(0)
    tab.page.get_by_label("Find keys").press_sequentially("kin")
    expect(params.get_by_role("rowheader")).to_have_text(["kind"])
    expect(tab.page.get_by_label("Find keys")).to_be_focused()
    tab.page.reload()
    expect(params.get_by_role("rowheader")).to_have_text(["kind"])


def test_comparing_works_without_scripts(chromium, server, sweep):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url + compare(sweep[:3]))
    expect(page.get_by_role("table", name="Params")).to_contain_text("odd")
    page.get_by_role("link", name="Differences", exact=True).click()
    page.get_by_label("Baseline").select_option("odd 1")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("table", name="Metrics")).to_contain_text("+3.99")
    context.close()


def test_thousands_of_metrics_are_found(tab, api):
    run = api.run(api.experiment())
    for start in range(0, 12_000, 1000):
        api.post("runs/log-batch", run_id=run, metrics=[{"key": f"layer{number:05}/norm", "value": 1, "timestamp": 1, "step": 0} for number in range(start, start + 1000)])
    tab.open(f"/console/runs/{run}/charts")
    expect(tab.page.get_by_text("12,000 metrics")).to_be_visible()
    expect(tab.page.locator(".chart")).to_have_count(24)
    tab.page.get_by_label("Find metrics").fill("/r1199[89]/")
    expect(tab.page.locator(".chart h3")).to_have_text(["layer11998/norm", "layer11999/norm"])


@pytest.mark.parametrize("query", ["", "&view=differences", "&view=relations", "&view=relations&plot=importance"])
def test_every_view_is_readable_named_and_narrow(tab, sweep, query):
    tab.page.set_viewport_size({"width": 380, "height": 900})
    tab.open(compare(sweep, query))
    expect(tab.page.locator(".chart, .relation table, .parallel-line, [data-tables] table").first).to_be_visible()
    assert tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    for theme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=theme)
        # Texts of pictures are filled, not coloured.
        assert contrast(tab.page) == [], theme
    nameless = tab.page.evaluate("""() => [...document.querySelectorAll("main :is(a, button, input:not([type=hidden]), select, table, img, [role=slider])")]
        .filter(element => element.checkVisibility())
        .filter(element => !(element.ariaLabel || element.textContent.trim() || element.title || element.labels?.length || element.hasAttribute("alt")))
        .map(element => element.outerHTML.slice(0, 200))""")
    assert nameless == []
