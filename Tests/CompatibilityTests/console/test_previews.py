"""Previews of artifacts in a real browser: each kind, by keys alone, and by a link."""

import struct
import zlib

import pytest
from playwright.sync_api import expect

from console.artifacts import FIGURE, MODEL, page_with, run_with
from support.api import Api

pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]


def png(width: int, height: int) -> bytes:
    """A white picture."""
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    rows = b"".join(b"\0" + b"\xff\xff\xff" * width for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.fixture(scope="module")
def run(server):
    import json

    return run_with(Api(server.url), {
        "README.md": "# Title\n\n- one **bold**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        "code/train.py": "def train(depth: int):\n    return depth  # deep\n",
        "data/rows.csv": "name,score\n" + "".join(f"row {i},{i * 7 % 600}\n" for i in range(600)),
        "data/eval.json": json.dumps({"columns": ["prompt", "score"], "data": [["hello", 1]]}),
        "data/small.json": json.dumps({"deep": [1, {"x": None}]}),
        "data/large.json": json.dumps({f"key {i}": list(range(40)) for i in range(300)}),
        "log.txt": "one\n" * 10 + "x" * 600_000,
        "model/MLmodel": MODEL,
        "page.html": "<h1>Static</h1><p id=p>before</p><script>document.getElementById('p').textContent='after'</script>",
        "plots/figure.html": page_with(FIGURE, padding=700_000),
        "plots/figure.json": json.dumps(FIGURE),
        "plots/small.png": png(40, 20),
        "weights.pkl": b"\x80\x04\0",
        **{f"many/{i:04}.txt": "x" for i in range(510)},
    })


def shown(tab, run, path):
    tab.open(f"/console/runs/{run}/artifacts?path={path}")
    return tab.page.get_by_role("region", name="Preview", exact=True)


def test_a_link_brings_back_a_file_in_its_folder(tab, run):
    preview = shown(tab, run, "code/train.py")
    expect(preview.get_by_role("heading", name="train.py")).to_be_visible()
    expect(tab.page.get_by_role("treeitem", name="train.py")).to_have_attribute("aria-selected", "true")
    expect(tab.page.get_by_role("treeitem", name="code")).to_have_attribute("aria-expanded", "true")
    # Colours come a moment later and change no letter.
    expect(preview.locator(".hljs-keyword").first).to_have_text("def")
    expect(preview.locator("pre")).to_have_text("def train(depth: int):\n    return depth  # deep\n")
    expect(preview.get_by_role("button", name="Address")).to_have_attribute("data-copy", f"runs:/{run}/code/train.py")
    tab.page.get_by_role("treeitem", name="README.md").click()
    assert tab.page.url.endswith("path=README.md")


def test_the_tree_by_keys_alone(tab, run):
    tab.open(f"/console/runs/{run}/artifacts")
    tree = tab.page.get_by_role("tree", name="Files")
    first = tree.get_by_role("treeitem").first
    expect(first).to_be_visible()
    assert tree.locator('[tabindex="0"]').count() == 1
    first.focus()
    focused = tab.page.locator(":focus")
    tab.page.keyboard.press("ArrowRight")
    expect(first).to_have_attribute("aria-expanded", "true")
    expect(tree.get_by_role("treeitem", name="train.py")).to_be_visible()
    tab.page.keyboard.press("ArrowRight")
    expect(focused).to_have_accessible_name("train.py")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", name="train.py")).to_be_visible()
    tab.page.keyboard.press("ArrowLeft")
    expect(focused).to_have_accessible_name("code")
    tab.page.keyboard.press("ArrowLeft")
    expect(first).to_have_attribute("aria-expanded", "false")
    tab.page.keyboard.press("End")
    expect(focused).to_have_accessible_name("weights.pkl")
    tab.page.keyboard.press("Home")
    expect(focused).to_have_accessible_name("code")
    tab.page.keyboard.type("pl")
    expect(focused).to_have_accessible_name("plots")
    assert tree.locator('[tabindex="0"]').count() == 1


def test_a_large_folder_comes_in_pages(tab, run):
    tab.open(f"/console/runs/{run}/artifacts?path=many")
    more = tab.page.get_by_role("treeitem", name="Show more")
    expect(more).to_be_visible()
    assert tab.page.get_by_role("treeitem", name="0505.txt").count() == 0
    more.click()
    expect(tab.page.get_by_role("treeitem", name="0505.txt")).to_be_visible()
    # A file behind the first page is shown without its place in the tree.
    expect(shown(tab, run, "many/0509.txt").get_by_role("heading", name="0509.txt")).to_be_visible()


def test_a_table_is_sorted_by_numbers_and_counted(tab, run):
    preview = shown(tab, run, "data/rows.csv")
    expect(preview.get_by_text("600 rows, 2 columns")).to_be_visible()
    rows = preview.locator("tbody tr")
    expect(rows).to_have_count(500)
    preview.get_by_role("button", name="score").click()
    expect(preview.get_by_role("columnheader", name="score")).to_have_attribute("aria-sort", "ascending")
    expect(rows.nth(1)).to_contain_text("1")
    preview.get_by_role("button", name="score").click()
    expect(rows.first).to_contain_text("599")
    preview.get_by_role("button", name="Show 100 more").click()
    expect(rows).to_have_count(600)


@pytest.mark.parametrize("path, selector, text", [
    ("README.md", "article h3", "Title"), ("README.md", "article td >> nth=1", "2"), ("data/eval.json", "td >> nth=0", "hello"),
    ("data/small.json", "pre", '"deep"'), ("data/large.json", "details summary >> nth=1", "key 0: [40]"),
    ("plots/figure.json", ".figure .gtitle", "Drawn"), ("plots/figure.html", ".figure .gtitle", "Drawn"),
    ("weights.pkl", ".empty-title", "No preview"), ("log.txt", ".preview-tools", "The first 524.3 kB are shown"),
])
def test_each_kind_is_shown(tab, run, path, selector, text):
    expect(shown(tab, run, path).locator(selector)).to_contain_text(text)


@pytest.mark.parametrize("path", ["model", "model/MLmodel"])
def test_a_model_tells_how_it_is_loaded(tab, run, path):
    preview = shown(tab, run, path)
    expect(preview.get_by_role("table", name="Inputs").get_by_role("cell").first).to_have_text("width")
    expect(preview.get_by_role("table", name="Outputs")).to_contain_text("tensor(int64, [-1])")
    expect(preview.get_by_role("table", name="Params")).to_contain_text("0.5")
    code = preview.locator(".code code").first
    expect(code).to_contain_text(f'mlflow.pyfunc.load_model("runs:/{run}/model")')
    expect(code).to_contain_text('pd.DataFrame({"width": […]})')
    expect(preview.get_by_text("sklearn.load_model")).to_be_visible()


def test_a_picture_is_zoomed_on_the_ground_one_likes(tab, run):
    preview = shown(tab, run, "plots/small.png")
    expect(preview.get_by_text("40 × 20 px, at 100 %")).to_be_visible()
    preview.get_by_role("button", name="Zoom in").click()
    expect(preview.get_by_text("at 150 %")).to_be_visible()
    preview.get_by_role("combobox", name="Background").select_option("checked")
    expect(preview.locator(".stage")).to_have_attribute("data-ground", "checked")


def test_a_page_runs_its_scripts_only_when_asked_and_locked_in(tab, run):
    preview = shown(tab, run, "page.html")
    frame = preview.frame_locator("iframe")
    expect(frame.locator("#p")).to_have_text("before")
    preview.get_by_role("button", name="With scripts").click()
    expect(frame.locator("#p")).to_have_text("after")
    # The browser says that it kept the first frame from running scripts.
    tab.complaints = [text for text in tab.complaints if "Blocked script execution" not in text]
    tab.foreign = [url for url in tab.foreign if not url.startswith("about:srcdoc")]


def test_a_file_that_is_not_there_is_told(chromium, run, server):
    from console.conftest import Tab

    tab = Tab(chromium, server.url)
    expect(shown(tab, run, "none.txt").get_by_role("alert")).to_contain_text("No such artifact")
    tab.context.close()
