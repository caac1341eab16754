"""The pages of endpoints, as a person meets them: live charts, a rollout with its buttons, the form, the log."""

import pytest
from playwright.sync_api import expect

from console.checks import ATTACK, until
from support.api import unique
from support.endpoints import Endpoint

pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]


@pytest.fixture(scope="module")
def endpoint(server) -> Endpoint:
    return Endpoint(server.url, description=f"**What it is for.** {ATTACK}")


def test_the_list_shows_what_endpoints_do(tab, endpoint):
    for _ in range(20):
        endpoint.ask()
    tab.open("/console/endpoints")
    row = tab.page.get_by_role("row").filter(has=tab.page.get_by_role("link", name=endpoint.name))
    expect(row).to_contain_text("ready")
    expect(row).to_contain_text(f"{endpoint.model} 1: 100 %")
    # The part with figures is fetched anew by itself.
    expect(row.locator("td.number").first).not_to_have_text("–")
    row.get_by_role("link").click()
    expect(tab.page.locator("h1")).to_have_text(endpoint.name)
    assert not tab.page.evaluate("window.attacked")


def test_charts_begin_with_the_first_request_and_go_on(tab, server):
    quiet = Endpoint(server.url)
    tab.open(f"/console/endpoints/{quiet.name}")
    expect(tab.page.get_by_text("No requests")).to_be_visible()
    for _ in range(10):
        quiet.ask()
    quiet.ask([1.0])
    for title in ["Requests per second", "Latency, p50 and p99", "Errors"]:
        chart = tab.page.get_by_role("img", name=title)
        expect(chart).to_be_visible()
        assert until(lambda: f"{quiet.model} 1" in chart.get_attribute("aria-label")), chart.get_attribute("aria-label")
    tab.page.get_by_role("button", name="1 hour").click()
    expect(tab.page).to_have_url(f"{server.url}/console/endpoints/{quiet.name}?window=1h")


def test_charts_tell_when_the_server_is_away(tab, endpoint):
    tab.page.route("**/data/endpoints/**", lambda route: route.fulfill(status=503, json={"message": "The server is busy."}))
    tab.open(f"/console/endpoints/{endpoint.name}")
    expect(tab.page.get_by_role("alert").filter(has_text="The server is busy.")).to_be_visible()
    tab.page.unroute("**/data/endpoints/**")
    for _ in range(3):
        endpoint.ask()
    expect(tab.page.get_by_role("img", name="Requests per second")).to_be_visible()
    tab.complaints.clear()


def test_a_canary_is_aborted_and_another_promoted_from_the_page(tab, server):
    endpoint = Endpoint(server.url)
    canary = {"kind": "canary", "steps": [20, 50], "hold_seconds": 3_600}
    endpoint.deploy(2, canary)
    endpoint.wait(lambda found: found.get("rollout", {}).get("phase") == "running")
    for _ in range(30):
        endpoint.ask()
    tab.open(f"/console/endpoints/{endpoint.name}")
    page = tab.page
    steps = page.get_by_role("list", name="Steps of the rollout")
    expect(steps.locator("[aria-current=step]")).to_contain_text("20 %")
    expect(page.get_by_role("table", name="What ends the rollout")).to_be_visible()

    page.get_by_role("button", name="Abort…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{endpoint.model} 1 answers all requests from now on.")
    dialog.get_by_role("button", name="Cancel").click()
    assert endpoint.get().get("rollout")
    page.get_by_role("button", name="Abort…").click()
    page.get_by_role("dialog").get_by_label("Why").fill(f"not today {ATTACK}")
    page.get_by_role("button", name="Abort rollout").click()
    expect(page.get_by_text("Last rollout")).to_be_visible()
    expect(page.locator(".step-bad")).to_contain_text("20 %")
    ended = endpoint.get()
    assert "rollout" not in ended and ended["stable"]["version"] == "1"
    assert not page.evaluate("window.attacked")

    # The page hears of the next rollout by itself.
    endpoint.deploy(2, canary)
    promote = page.get_by_role("button", name=f"Promote {endpoint.model} 2…")
    expect(promote).to_be_visible()
    promote.click()
    expect(page.get_by_role("dialog")).to_contain_text("in place of 20 % of them")
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()
    expect(page.get_by_role("button", name="Roll back…")).to_be_visible()
    assert endpoint.get()["stable"]["version"] == "2"
    assert endpoint.ask().json()["outputs"][0]["data"] == [3, 6, 9, 12]

    page.get_by_role("button", name="Roll back…").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"{endpoint.model} 1 answers all requests, once it is loaded.")
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    endpoint.wait(lambda found: found["stable"]["version"] == "1")


def test_what_the_server_refuses_is_told_in_the_dialog(tab, server):
    endpoint = Endpoint(server.url)
    endpoint.deploy(2, {"kind": "blue-green"})
    endpoint.wait(lambda found: found.get("rollout", {}).get("phase") == "ready")
    tab.open(f"/console/endpoints/{endpoint.name}")
    tab.page.get_by_role("button", name="Abort…").click()
    tab.page.route("**/abort", lambda route: route.fulfill(status=409, json={"message": "There is no rollout to abort."}))
    tab.page.get_by_role("button", name="Abort rollout").click()
    expect(tab.page.get_by_role("dialog").get_by_role("alert")).to_have_text("There is no rollout to abort.")
    tab.complaints.clear()


@pytest.mark.parametrize("protocol", ["Open Inference Protocol v2", "MLflow"])
def test_the_form_asks_and_shows_the_answer(tab, endpoint, protocol):
    tab.open(f"/console/endpoints/{endpoint.name}/try")
    page = tab.page
    page.get_by_label("Protocol").select_option(protocol)
    box = page.get_by_label("x", exact=True)
    box.fill("1, 2, 3")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("multiple of 4")
    box.fill("1, 2, 3, 4.5")
    page.get_by_role("button", name="Send").click()
    answer = page.locator("#answer")
    expect(answer.locator(".badge-good")).to_contain_text("200")
    expect(answer.get_by_label("The answer")).to_contain_text("9")
    link = answer.get_by_role("link")
    assert until(lambda: endpoint.api.send("GET", endpoint.path(f"/predictions/{link.inner_text()}")).status_code == 200)
    link.click()
    expect(page.get_by_role("heading", name="Inputs")).to_be_visible()
    expect(page.get_by_text("[1, 2, 3, 4.5]")).to_be_visible()


def test_an_error_of_the_endpoint_is_shown(tab, endpoint):
    tab.open(f"/console/endpoints/{endpoint.name}/try")
    tab.page.route("**/infer", lambda route: route.fulfill(status=503, json={"error": "no worker is left"}))
    tab.page.get_by_role("button", name="Send").click()
    expect(tab.page.locator("#answer .badge-bad")).to_contain_text("503")
    expect(tab.page.locator("#answer")).to_contain_text("no worker is left")
    tab.complaints.clear()


def test_code_samples_run_as_they_are(tab, endpoint):
    import subprocess
    import sys

    tab.open(f"/console/endpoints/{endpoint.name}/try")
    samples = tab.page.evaluate("""() => [...document.querySelectorAll(".samples > details")].map(
        (one) => [one.querySelector("summary").textContent, one.querySelector("[data-copy]").dataset.copy])""")
    titles = [title for title, _ in samples]
    assert "Python, tritonclient by gRPC" in titles
    for title, text in samples:
        if "gRPC" in title or title.startswith("Feedback"):
            continue
        command = ["bash", "-c", text.replace("curl ", "curl -sS --fail-with-body ")] if "curl" in title else [sys.executable, "-c", text]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{title}\n{text}\n{done.stdout}\n{done.stderr}"
        assert "1" in done.stdout, f"{title}: {done.stdout}"


def test_the_log_is_seen_and_what_is_logged_is_changed(tab, endpoint):
    endpoint.ask()
    endpoint.ask([1.0])
    endpoint.logged(2)
    tab.open(f"/console/endpoints/{endpoint.name}/predictions")
    page = tab.page
    expect(page.get_by_role("table", name="Predictions")).to_contain_text("x [1, 2, 3, 4]")
    page.get_by_role("link", name="Errors").click()
    expect(page.get_by_role("table", name="Predictions")).not_to_contain_text("ok")
    page.get_by_role("button", name="What is logged…").click()
    page.get_by_label("Share of all predictions, from 0 to 1").fill("7")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("'rate'")
    page.get_by_label("Share of all predictions, from 0 to 1").fill("0.5")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("Logged: 50 %")).to_be_visible()
    assert endpoint.api.get(endpoint.path("/logging"))["rate"] == 0.5
    endpoint.api.send("PUT", endpoint.path("/logging"), json={})
    tab.complaints.clear()


def test_nothing_there_is_told(tab):
    tab.open(f"/console/endpoints/{unique('none')}")
    expect(tab.page.get_by_role("alert")).to_contain_text("does not exist")
    tab.complaints.clear()
