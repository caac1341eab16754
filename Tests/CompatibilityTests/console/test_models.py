"""The pages of registered models and their versions, and what a person changes on them."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from console.checks import ATTACK, contrast
from support.api import pairs, unique

pytestmark = pytest.mark.apus_only


@pytest.fixture
def model(api):
    """A registered model with two versions."""
    name = api.model()
    api.version(name), api.version(name)
    return name


def alias(api, name, of) -> str:
    return api.get("registered-models/alias", name=of, alias=name)["model_version"]["version"]


def test_an_alias_is_moved_with_a_question(tab, api, model):
    api.post("registered-models/alias", name=model, alias="champion", version="1")
    tab.open(f"/console/models/{model}")
    move = tab.page.get_by_role("button", name="Move @champion…", exact=True)
    move.focus()
    tab.page.keyboard.press("Enter")
    dialog = tab.page.get_by_role("dialog")
    expect(dialog.get_by_role("status")).to_contain_text("version 1 already")
    dialog.get_by_role("combobox", name="Version").select_option("2")
    expect(dialog.get_by_role("status")).to_contain_text("@champion moves from version 1 to version 2.")
    expect(dialog.get_by_role("status")).to_contain_text(f"models:/{model}@champion gets version 2 in place of 1")
    tab.page.keyboard.press("Escape")
    expect(move).to_be_focused()
    assert alias(api, "champion", model) == "1"
    tab.page.keyboard.press("Enter")
    dialog.get_by_role("combobox", name="Version").select_option("2")
    dialog.get_by_role("button", name="Set alias").click()
    expect(tab.page.locator("li .alias + a")).to_have_text("version 2")
    expect(tab.page.get_by_role("row", name=re.compile("version 2 @champion"))).to_be_visible()
    assert alias(api, "champion", model) == "2"
    move.click()
    dialog.get_by_role("combobox", name="Version").select_option("1")
    expect(dialog.get_by_role("status")).to_contain_text("@champion moves from version 2 to version 1.")


def test_an_alias_is_given_and_removed(tab, api, model):
    tab.open(f"/console/models/{model}/versions/1")
    tab.page.get_by_role("button", name="Set an alias…").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox", name="Version")).to_have_value("1")
    dialog.get_by_role("textbox", name="Alias").fill("v1")
    dialog.get_by_role("button", name="Set alias").click()
    expect(dialog.get_by_role("alert")).to_contain_text("reserved")
    dialog.get_by_role("textbox", name="Alias").fill("challenger")
    expect(dialog.get_by_role("status")).to_contain_text("@challenger begins with version 1.")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".heading .alias")).to_have_text("challenger")
    assert alias(api, "challenger", model) == "1"
    tab.page.get_by_role("button", name="Remove @challenger…").click()
    expect(tab.page.get_by_role("dialog")).to_contain_text(f"models:/{model}@challenger gets an error")
    tab.page.get_by_role("button", name="Remove alias").click()
    expect(tab.page.locator(".heading .alias")).to_have_count(0)
    api.failure("GET", "registered-models/alias", params={"name": model, "alias": "challenger"})
    tab.complaints = [text for text in tab.complaints if "400 (Bad Request)" not in text]


@pytest.mark.alone
def test_an_alias_that_moves_elsewhere_moves_on_the_page(tab, api, model):
    tab.open(f"/console/models/{model}/versions/2")
    expect(tab.page.locator(".heading .alias")).to_have_count(0)
    api.post("registered-models/alias", name=model, alias="champion", version="2")
    expect(tab.page.locator(".heading .alias")).to_have_text("champion", timeout=5_000)


def test_descriptions_and_tags_of_model_and_version(tab, api, model):
    for path, label in [(f"/console/models/{model}", "m"), (f"/console/models/{model}/versions/1", "v")]:
        tab.open(path)
        tab.page.get_by_role("button", name="Edit description").click()
        tab.page.keyboard.type(f"*{label}* {ATTACK}")
        tab.page.keyboard.press("Control+Enter")
        expect(tab.page.locator(".markdown em")).to_have_text(label)
        tab.page.get_by_text("Add a tag").click()
        tab.page.get_by_role("textbox", name="Key").fill("task")
        tab.page.get_by_role("textbox", name="Value").fill(ATTACK)
        tab.page.get_by_role("button", name="Add").click()
        expect(tab.page.get_by_role("table", name="tags")).to_contain_text(ATTACK)
        assert tab.page.evaluate("window.attacked") is None
    found = api.get("registered-models/get", name=model)["registered_model"]
    assert found["description"] == f"*m* {ATTACK}" and pairs(found["tags"]) == {"task": ATTACK}
    version = api.get("model-versions/get", name=model, version="1")["model_version"]
    assert version["description"] == f"*v* {ATTACK}" and pairs(version["tags"]) == {"task": ATTACK}
    tab.page.get_by_role("button", name="Delete tag task").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete tag").click()
    expect(tab.page.get_by_text("No tags")).to_be_visible()
    assert "tags" not in api.get("model-versions/get", name=model, version="1")["model_version"]


def test_a_version_moves_to_a_stage_and_archives_others(tab, api, model):
    api.post("model-versions/transition-stage", name=model, version="1", stage="Production", archive_existing_versions=False)
    tab.open(f"/console/models/{model}/versions/2")
    tab.page.get_by_role("button", name="Move to stage…").click()
    dialog = tab.page.get_by_role("dialog")
    archive = dialog.get_by_role("checkbox", name="Archive the versions that are there")
    expect(archive).to_be_disabled()
    dialog.get_by_role("combobox", name="Stage").select_option("Production")
    expect(dialog.get_by_role("status")).to_contain_text("Version 1 stays in Production beside it.")
    archive.check()
    expect(dialog.get_by_role("status")).to_contain_text("Version 1 and all others in Production go to Archived.")
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(tab.page.locator(".heading .badge")).to_have_text("Production")
    stages = [api.get("model-versions/get", name=model, version=number)["model_version"]["current_stage"] for number in "12"]
    assert stages == ["Archived", "Production"]


def test_a_model_is_made_renamed_and_deleted(tab, api):
    name = unique("model") + " '&\"<b>"
    tab.open("/console/models")
    tab.page.get_by_role("button", name="New model…").click()
    tab.page.get_by_role("textbox", name="Name", exact=True).fill(name)
    tab.page.get_by_role("button", name="Make it").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(name)
    tab.page.get_by_role("button", name="Edit name").click()
    tab.page.keyboard.press("End")
    tab.page.keyboard.type("#2")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(f"{name}#2")
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    expect(tab.page.get_by_role("dialog")).to_contain_text("It has no versions.")
    tab.page.get_by_role("button", name="Delete model").click()
    tab.page.wait_for_url("**/console/models")
    api.failure("GET", "registered-models/get", params={"name": f"{name}#2"})


def test_a_version_is_deleted_with_what_is_lost(tab, api, model):
    api.post("registered-models/alias", name=model, alias="champion", version="2")
    tab.open(f"/console/models/{model}/versions/2")
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    expect(tab.page.get_by_role("dialog")).to_contain_text(f"@champion is lost: whoever loads models:/{model}@champion gets an error")
    tab.page.get_by_role("button", name="Delete version").click()
    tab.page.wait_for_url(f"**/console/models/{model}")
    expect(tab.page.get_by_role("link", name="version 1")).to_be_visible()
    expect(tab.page.get_by_role("link", name="version 2")).to_have_count(0)


def test_two_versions_of_the_client_are_compared_and_downloaded(tab, client):
    import mlflow
    import pandas
    from mlflow.models import infer_signature

    class Half(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input: pandas.DataFrame, params=None):
            return [0.5] * len(model_input)

    mlflow.set_experiment(unique("exp"))
    name = unique("model")
    data = pandas.DataFrame({"age": pandas.array([1], dtype="int32"), "color": ["red"]})
    for depth in (2, 4):
        with mlflow.start_run(run_name=f"depth {depth}"):
            mlflow.log_params({"depth": depth, "kind": "forest"})
            mlflow.log_metric("acc", depth / 8)
            mlflow.pyfunc.log_model(
                name="model", python_model=Half(), registered_model_name=name, pip_requirements=["mlflow"],
                signature=infer_signature(data if depth == 4 else data[["age"]], [0.5]))
    tab.open(f"/console/models/{name}/versions/2")
    expect(tab.page.get_by_role("table", name="Inputs")).to_contain_text("age")
    expect(tab.page.get_by_role("link", name="depth 4")).to_be_visible()
    # The example is code that runs.
    example = tab.page.locator(".code code", has_text="load_model").text_content()
    mlflow.set_registry_uri(tab.url)
    exec(example, {"print": lambda answer: None})
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="MLmodel").click()
    assert "signature" in open(download.value.path()).read()
    tab.page.get_by_role("link", name="Compare…").click()
    tab.page.get_by_role("combobox", name="Version", exact=True).select_option("1")
    tab.page.get_by_role("combobox", name="with version").select_option("2")
    tab.page.get_by_role("checkbox", name="Only differences").check()
    tab.page.get_by_role("button", name="Compare").click()
    expect(tab.page.get_by_role("row", name="depth 2 4")).to_be_visible()
    expect(tab.page.get_by_role("row", name=re.compile(r"acc 0.25 0.5 \+0.25"))).to_be_visible()
    expect(tab.page.get_by_role("row", name=re.compile("input color"))).to_be_visible()
    expect(tab.page.get_by_role("row", name=re.compile("kind"))).to_have_count(0)


def test_hostile_models_are_only_text(tab, api):
    name = f"model-{unique()}'\"&<img src=x onerror=alert(1)>"
    api.model(name, description=f"[a](javascript:window.attacked=1) {ATTACK}", tags=[{"key": "t", "value": ATTACK}])
    for _ in range(2):
        api.post("model-versions/create", name=name, source="s3://bucket/" + "a<b>", description=ATTACK, tags=[{"key": "t", "value": ATTACK}])
    api.post("registered-models/alias", name=name, alias="a", version="1")
    quoted = quote(name, safe="")
    for path in ["/console/models", f"/console/models/{quoted}", f"/console/models/{quoted}/versions/1", f"/console/models/{quoted}/compare"]:
        assert tab.open(path).status == 200, path
        assert tab.page.locator("main :is(img, script)").count() == 0, path
        assert tab.page.locator("main [href^=javascript]").count() == 0, path
    tab.open(f"/console/models/{quoted}")
    tab.page.get_by_role("button", name="Move @a…", exact=True).click()
    expect(tab.page.get_by_role("dialog").get_by_role("status")).to_contain_text("@a is version 1 already")
    tab.page.keyboard.press("Escape")
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    expect(tab.page.get_by_role("dialog")).to_contain_text(name)
    assert tab.page.evaluate("window.attacked") is None


@pytest.mark.parametrize("width", [380, 2560])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_fit_and_have_contrast(tab, api, width, theme):
    name = api.model("m" * 200 + unique(), description="d" * 300, tags=[{"key": "k" * 200, "value": "v" * 500}])
    api.version(name, tags=[{"key": "k", "value": "v" * 500}]), api.version(name)
    api.post("registered-models/alias", name=name, alias="a" * 200, version="1")
    tab.page.set_viewport_size({"width": width, "height": 900})
    tab.page.emulate_media(color_scheme=theme)
    for path in ["/console/models", f"/console/models/{name}", f"/console/models/{name}/versions/1", f"/console/models/{name}/compare"]:
        tab.open(path)
        wide = tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
        assert contrast(tab.page) == [], path
    tab.open(f"/console/models/{name}")
    tab.page.get_by_role("button", name=re.compile("^Move @")).click()
    tab.page.get_by_role("combobox", name="Version").select_option("2")
    assert tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert contrast(tab.page) == []
