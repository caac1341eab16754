"""The page of one run: what it shows, and what a person changes on it."""

import re

import pytest
from playwright.sync_api import expect

from console.checks import ATTACK, contrast, until
from support.api import pairs, unique

pytestmark = pytest.mark.apus_only


@pytest.fixture
def run(api):
    return api.run(api.experiment(), run_name="first", tags=[{"key": "team", "value": "vision"}])


def tags(api, run) -> dict:
    return pairs(api.read_run(run)["data"].get("tags", []))


def test_notes_are_written_by_keyboard_alone(tab, api, run):
    tab.open(f"/console/runs/{run}")
    edit = tab.page.get_by_role("button", name="Edit notes")
    edit.focus()
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("textbox", name="notes")).to_be_focused()
    tab.page.keyboard.type("# Findings\n\n**Good** at `lr=0.1`, see https://example.org/a_b_c\n")
    tab.page.keyboard.press("Control+Enter")
    notes = tab.page.locator(".markdown")
    expect(notes.get_by_role("heading", level=3)).to_have_text("Findings")
    expect(notes.locator("strong")).to_have_text("Good")
    expect(notes.get_by_role("link")).to_have_attribute("href", "https://example.org/a_b_c")
    expect(edit).to_be_focused()
    assert tags(api, run)["mlflow.note.content"].startswith("# Findings")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.type("lost")
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("textbox", name="notes")).to_have_count(0)
    expect(edit).to_be_focused()
    assert "lost" not in tags(api, run)["mlflow.note.content"]


def test_hostile_notes_and_tags_are_only_text(tab, api, run):
    attack = f"{ATTACK}\n\n[a](javascript:window.attacked=1) ![x](x) {ATTACK} <https://a\"onclick=\"window.attacked=1>"
    tab.open(f"/console/runs/{run}")
    tab.page.get_by_role("button", name="Edit notes").click()
    tab.page.get_by_role("textbox", name="notes").fill(attack)
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.page.locator(".markdown")).to_contain_text("window.attacked=1")
    tab.page.get_by_role("button", name="Edit tag team").click()
    tab.page.get_by_role("textbox", name="tag team").fill(ATTACK)
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.page.get_by_role("table", name="tags")).to_contain_text(ATTACK)
    tab.page.get_by_role("button", name="Delete tag team").click()
    expect(tab.page.get_by_role("dialog")).to_contain_text(ATTACK)
    tab.page.keyboard.press("Escape")
    for link in tab.page.locator(".markdown a").all():
        assert link.get_attribute("href").startswith("http")
    assert tab.page.evaluate("window.attacked") is None
    assert tab.page.locator("main :is(img, script)").count() == 0


def test_what_was_typed_stays_when_the_server_refuses(tab, api, run):
    tab.open(f"/console/runs/{run}")
    tab.page.get_by_text("Add a tag").click()
    tab.page.get_by_role("textbox", name="Key").fill("a key?")
    tab.page.get_by_role("textbox", name="Value").fill("kept")
    tab.page.get_by_role("button", name="Add").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("Invalid value")
    expect(tab.page.get_by_role("textbox", name="Value")).to_have_value("kept")
    tab.page.get_by_role("textbox", name="Key").fill("stage")
    tab.page.get_by_role("button", name="Add").click()
    expect(tab.page.get_by_role("row", name=re.compile("stage kept"))).to_be_visible()
    expect(tab.page.get_by_role("alert")).to_have_count(0)
    expect(tab.page.get_by_role("textbox", name="Key")).to_have_value("")
    # The browser itself tells of answers that are errors.
    tab.complaints = [text for text in tab.complaints if "400 (Bad Request)" not in text]


def test_an_editor_stays_open_while_the_server_is_away(tab, run):
    tab.open(f"/console/runs/{run}")
    tab.page.get_by_role("button", name="Edit notes").click()
    tab.page.get_by_role("textbox", name="notes").fill("kept")
    tab.page.route("**/set-tag", lambda route: route.abort())
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("did not answer")
    expect(tab.page.get_by_role("textbox", name="notes")).to_have_value("kept")
    tab.page.unroute("**/set-tag")
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.page.locator(".markdown")).to_have_text("kept")
    tab.complaints = [text for text in tab.complaints if "ERR_FAILED" not in text]


def test_tags_are_changed_and_deleted(tab, api, run):
    tab.open(f"/console/runs/{run}")
    tab.page.get_by_role("button", name="Edit tag team").click()
    tab.page.get_by_role("textbox", name="tag team").fill("speech\nand text")
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.page.get_by_role("textbox", name="tag team")).to_have_count(0)
    expect(tab.page.get_by_role("row", name=re.compile("team speech"))).to_be_visible()
    assert tags(api, run)["team"] == "speech\nand text"
    tab.page.get_by_role("button", name="Delete tag team").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete tag").click()
    expect(tab.page.get_by_text("No tags")).to_be_visible()
    assert "team" not in tags(api, run)


def test_a_run_is_renamed(tab, api, run):
    tab.open(f"/console/runs/{run}")
    tab.page.get_by_role("button", name="Edit name").click()
    tab.page.keyboard.type("second")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("second")
    expect(tab.page.get_by_label("Breadcrumbs")).to_contain_text("second")
    expect(tab.page).to_have_title("second · Apus")
    assert api.read_run(run)["info"]["run_name"] == "second"


@pytest.mark.alone
def test_changes_of_others_leave_an_open_editor_alone(tab, api, run):
    tab.open(f"/console/runs/{run}")
    tab.page.get_by_role("button", name="Edit notes").click()
    tab.page.get_by_role("textbox", name="notes").fill("mine")
    api.metric(run, "loss", 0.125)
    expect(tab.page.get_by_text("0.125")).to_be_visible(timeout=5_000)
    expect(tab.page.get_by_role("textbox", name="notes")).to_have_value("mine")
    expect(tab.page.get_by_role("alert")).to_have_count(0)
    api.post("runs/set-tag", run_id=run, key="mlflow.note.content", value="theirs")
    expect(tab.page.get_by_role("alert")).to_contain_text("changed elsewhere", timeout=5_000)
    tab.page.get_by_role("button", name="Cancel").click()
    expect(tab.page.locator(".markdown")).to_have_text("theirs")


@pytest.mark.alone
def test_what_a_person_did_stays_when_a_part_is_put_in_anew(tab, api, run):
    metrics = [{"key": f"m{number:02}", "value": number, "timestamp": 1, "step": 0} for number in range(20)]
    api.post("runs/log-batch", run_id=run, metrics=metrics)
    tab.open(f"/console/runs/{run}")
    find = tab.page.get_by_role("searchbox", name="Find in metrics")
    find.fill("m07")
    api.metric(run, "m07", 0.375, timestamp=2, step=1)
    expect(tab.page.get_by_text("0.375")).to_be_visible(timeout=5_000)
    expect(find).to_have_value("m07")
    expect(find).to_be_focused()
    expect(tab.page.get_by_role("row", name=re.compile("m08"))).to_be_hidden()
    find.fill("")
    table = tab.page.get_by_role("region", name="metrics")
    tab.page.set_viewport_size({"width": 1280, "height": 400})
    table.evaluate("box => box.scrollTo(0, 150)")
    api.metric(run, "m07", 0.625, timestamp=3, step=2)
    expect(tab.page.get_by_text("0.625")).to_be_visible(timeout=5_000)
    assert table.evaluate("box => box.scrollTop") == 150


def test_a_run_is_deleted_and_restored_with_a_question(tab, api, run):
    tab.open(f"/console/runs/{run}")
    delete = tab.page.get_by_role("button", name="Delete", exact=True)
    delete.click()
    expect(tab.page.get_by_role("dialog")).to_contain_text("It goes to the trash")
    expect(tab.page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    tab.page.keyboard.press("Escape")
    expect(delete).to_be_focused()
    assert api.read_run(run)["info"]["lifecycle_stage"] == "active"
    delete.click()
    tab.page.get_by_role("button", name="Delete run").click()
    expect(tab.page.get_by_text("Deleted", exact=True)).to_be_visible()
    expect(tab.page.get_by_role("button", name="Edit notes")).to_have_count(0)
    tab.page.get_by_role("button", name="Restore", exact=True).click()
    tab.page.get_by_role("button", name="Restore run").click()
    expect(tab.page.get_by_role("button", name="Edit notes")).to_be_visible()
    assert api.read_run(run)["info"]["lifecycle_stage"] == "active"


def test_lineage_and_system_metrics_of_the_client(tab, client):
    import mlflow
    import pandas

    mlflow.set_experiment(unique("exp"))
    model = unique("model")
    with mlflow.start_run(run_name="above") as above:
        with mlflow.start_run(run_name="below", nested=True, tags={"mlflow.source.git.commit": "0123456789abcdef"}) as run:
            data = mlflow.data.from_pandas(pandas.DataFrame({"age": [1.0]}), source="https://data.example/x.csv", name="people")
            mlflow.log_input(data, context="training")
            for step in range(5):
                mlflow.log_metric("system/cpu_utilization_percentage", step, step=step)
            mlflow.log_metric("loss", 1)
    run_id = run.info.run_id
    mlflow.MlflowClient().create_registered_model(model)
    mlflow.MlflowClient().create_model_version(model, run.info.artifact_uri + "/model", run_id)
    mlflow.MlflowClient().set_registered_model_alias(model, "champion", "1")
    tab.open(f"/console/runs/{run_id}")
    lineage = tab.page.locator(".lineage")
    for name in ("people", "above", f"{model}, version 1"):
        expect(lineage.get_by_role("link", name=name)).to_be_visible()
    expect(lineage).to_contain_text("0123456789")
    expect(lineage.locator(".alias")).to_have_text("champion")
    expect(tab.page.get_by_role("table", name="Datasets")).to_contain_text("age")
    expect(tab.page.get_by_role("table", name="metrics")).not_to_contain_text("system/")
    tab.page.get_by_label("Parts of the run").get_by_role("link", name="System").click()
    assert until(lambda: tab.page.evaluate("document.querySelector('.plot')?.data?.[0]?.y.length ?? 0") == 5)
    expect(tab.page.locator(".chart h3")).to_have_text(["system/cpu_utilization_percentage"])
    tab.open(f"/console/runs/{above.info.run_id}")
    tab.page.locator(".lineage").get_by_role("link", name="below").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("below")


def test_a_logged_model_is_registered(tab, api, client):
    import mlflow

    mlflow.set_experiment(unique("exp"))
    with mlflow.start_run() as run:
        logged = mlflow.initialize_logged_model(name="forest", source_run_id=run.info.run_id)
    api.post("runs/outputs", run_id=run.info.run_id, models=[{"model_id": logged.model_id, "step": 0}])
    name = unique("model")
    tab.open(f"/console/runs/{run.info.run_id}/models")
    tab.page.get_by_role("button", name="Register forest…").click()
    tab.page.get_by_role("textbox", name="Registered model").fill(name)
    tab.page.get_by_role("dialog").get_by_role("button", name="Register").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("not found")
    tab.page.get_by_role("checkbox", name="It is a new one").check()
    tab.page.get_by_role("dialog").get_by_role("button", name="Register").click()
    tab.page.wait_for_url(f"**/console/models/{name}")
    version = api.get("model-versions/get", name=name, version="1")["model_version"]
    assert (version["source"], version["run_id"]) == (f"models:/{logged.model_id}", run.info.run_id)
    noted = pairs(api.get(f"logged-models/{logged.model_id}")["model"]["info"]["tags"])
    assert name in noted["mlflow.modelVersions"]
    tab.complaints = [text for text in tab.complaints if "404 (Not Found)" not in text]


def test_the_page_reads_well_without_scripts(chromium, server, run):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/console/runs/{run}")
    expect(page.get_by_role("table", name="tags")).to_contain_text("vision")
    expect(page.get_by_role("button", name=re.compile("Edit|Delete"))).to_have_count(0)
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_have_contrast_also_while_editing(tab, api, run, theme):
    api.post("runs/set-tag", run_id=run, key="mlflow.note.content", value="# A\n> b\n\n[c](https://d)\n\n`e`\n\n|f|\n|-|\n|g|")
    tab.page.emulate_media(color_scheme=theme)
    tab.open(f"/console/runs/{run}")
    assert contrast(tab.page) == []
    tab.page.get_by_role("button", name="Edit tag team").click()
    tab.page.get_by_text("Add a tag").click()
    assert contrast(tab.page) == []
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    assert contrast(tab.page) == []


def test_metrics_beyond_those_that_are_listed_are_found(tab, api):
    run = api.run(api.experiment())
    metrics = [{"key": f"metric_{number:04}", "value": number / 8, "timestamp": 1, "step": 0} for number in range(700)]
    api.post("runs/log-batch", run_id=run, metrics=metrics)
    tab.open(f"/console/runs/{run}")
    table = tab.page.get_by_role("table", name="metrics")
    expect(table.get_by_role("row")).to_have_count(500)
    box = tab.page.get_by_role("searchbox", name="Find in all metrics")
    box.fill("metric_0693")
    expect(table.get_by_role("row")).to_have_count(1)
    expect(table).to_contain_text("86.625")
    box.fill("/_06[0-9]1$/")
    expect(table.get_by_role("row")).to_have_count(10)
    box.fill("nothing like it")
    expect(tab.page.get_by_text("0 found.")).to_be_visible()
    box.fill("")
    expect(table.get_by_role("row")).to_have_count(500)
