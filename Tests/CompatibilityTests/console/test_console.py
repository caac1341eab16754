"""The Console in a real browser, while the official client logs."""

import re

import pytest
from playwright.sync_api import expect

from console.checks import until
from console.conftest import Tab
from support.api import unique

pytestmark = pytest.mark.apus_only


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
    ("/console", "Home"), ("/console/experiments", "Experiments"), ("/console/datasets", "Datasets"), ("/console/models", "Registered models"),
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
    expect(tab.page.locator(".chart .plot svg").first).to_be_visible()


@pytest.mark.alone
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


@pytest.mark.alone
def test_a_curve_is_drawn_and_grows(tab, client):
    import mlflow

    mlflow.set_experiment(unique("exp"))
    with mlflow.start_run() as run:
        for step in range(20):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        tab.open(f"/console/runs/{run.info.run_id}/charts")
        last = "document.querySelector('.plot')?.data?.[0]?.x.at(-1) ?? -1"
        assert until(lambda: tab.page.evaluate(last) == 19)
        mlflow.log_metric("loss", 0, step=20)
        assert until(lambda: tab.page.evaluate(last) == 20, 3)


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
