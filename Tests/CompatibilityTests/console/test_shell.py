"""The shell around all pages: errors, keys, the palette, toasts, the connection."""

import re

import pytest
from playwright.sync_api import expect

from console.conftest import Tab
from support.api import unique

pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/console/nothing", 404), ("GET", "/console/runs/x/y/z", 404), ("GET", "/console/data/nothing", 404),
    ("POST", "/console/experiments", 405), ("DELETE", "/console", 405), ("PUT", "/console/nothing", 404),
])
def test_what_is_no_page_is_a_page_for_browsers(api, method, path, status):
    answer = api.send(method, path, headers={"Accept": "text/html,*/*"})
    assert answer.status_code == status
    assert answer.text.count("<nav") >= 1 and "Go home" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert ("Allow" in answer.headers) == (status == 405)
    plain = api.send(method, path, headers={"Accept": "application/json"})
    assert plain.status_code == status and "<nav" not in plain.text


def test_other_paths_keep_mlflows_answers(api):
    assert "<nav" not in api.send("GET", "/nothing", headers={"Accept": "text/html"}).text


def test_an_unknown_page_leads_on(chromium, server):
    tab = Tab(chromium, server.url)
    assert tab.open("/console/nothing").status == 404
    tab.page.get_by_role("main").get_by_role("button", name="Jump to…").click()
    expect(tab.page.get_by_role("combobox", name="Jump to")).to_be_focused()
    tab.context.close()


def test_keys_lead_to_sections_and_are_listed(tab):
    tab.open("/console")
    tab.page.keyboard.press("?")
    keys = tab.page.get_by_role("dialog", name="Keys")
    expect(keys.get_by_text("Go to Experiments")).to_be_visible()
    tab.page.keyboard.press("g")
    tab.page.keyboard.press("e")
    assert tab.page.url.endswith("/console")
    tab.page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    tab.page.keyboard.press("g")
    tab.page.keyboard.press("e")
    tab.page.wait_for_url("**/console/experiments")
    tab.page.keyboard.press("/")
    box = tab.page.get_by_role("searchbox").first
    expect(box).to_be_focused()
    # What is typed is text.
    tab.page.keyboard.type("gh?")
    expect(box).to_have_value("gh?")
    assert tab.page.url.endswith("/console/experiments")


def test_the_palette_finds_models_with_quotes_and_knows_what_was_seen(tab, api):
    name = f"mo'del%\\\"{unique()}"
    api.model(name)
    run = api.run(api.experiment(), run_name=unique("seen"))
    tab.open(f"/console/runs/{run}")
    tab.open("/console")
    tab.page.keyboard.press("Control+k")
    box = tab.page.get_by_role("combobox", name="Jump to")
    expect(tab.page.get_by_role("option").first).to_contain_text("seen")
    expect(box).to_have_attribute("aria-expanded", "true")
    box.fill(name)
    expect(tab.page.get_by_role("option", name=re.compile("Model"))).to_have_count(1)
    expect(tab.page.get_by_role("option").first).to_contain_text(name)
    assert box.get_attribute("aria-activedescendant") == "palette-0"
    box.fill("nothing is called like that 🦆")
    expect(tab.page.get_by_text("Nothing is called so.")).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "false")
    assert box.get_attribute("aria-activedescendant") is None
    tab.page.keyboard.press("Escape")
    expect(box).to_be_hidden()


def test_the_theme_goes_back_to_the_systems(tab):
    tab.page.emulate_media(color_scheme="light")
    tab.open("/console")
    theme = "document.documentElement.dataset.theme ?? 'system'"
    tab.page.get_by_role("button", name="Switch to dark theme").click()
    assert tab.page.evaluate(theme) == "dark"
    tab.page.reload()
    assert tab.page.evaluate(theme) == "dark"
    tab.page.get_by_role("button", name="Switch to light theme").click()
    assert tab.page.evaluate(theme) == "system"


def test_errors_stay_until_they_are_closed(tab):
    tab.open("/console/styleguide")
    tab.page.get_by_role("button", name="Show an error").click()
    alert = tab.page.get_by_role("alert").filter(has_text="could not be reached")
    expect(alert).to_be_visible()
    alert.get_by_role("button", name="Close").click()
    expect(alert).to_have_count(0)
    tab.page.get_by_role("button", name="Open a dialog").click()
    dialog = tab.page.get_by_role("dialog", name="Delete forest-1?")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("button", name="Open a dialog")).to_be_focused()


@pytest.mark.alone
def test_a_lost_connection_is_told_and_found_again(chromium, start_server):
    server = start_server()
    tab = Tab(chromium, server.url)
    tab.open("/console")
    word = tab.page.get_by_text("Reconnecting…")
    expect(word).to_be_hidden()
    server.kill()
    expect(word).to_be_visible(timeout=5_000)
    server.start()
    expect(word).to_be_hidden(timeout=15_000)
    tab.context.close()


@pytest.mark.alone
def test_the_system_page_tells_what_is_stored_and_asked(tab, api):
    run = api.run(api.experiment())
    api.metric(run, "m", 1)
    tab.open("/console/system")
    requests = tab.page.get_by_role("table", name="Requests")
    expect(requests.get_by_role("row", name=re.compile("Tracking and registry"))).to_be_visible()
    expect(tab.page.get_by_role("table", name="Storage").get_by_role("row", name=re.compile("^Runs"))).to_be_visible()
    counted = tab.page.locator(".stat", has_text="Requests").locator("dd")
    before = counted.inner_text()
    api.get("experiments/get", experiment_id="0")
    # It is fetched again by itself.
    expect(counted).not_to_have_text(before, timeout=8_000)
