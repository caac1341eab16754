"""The pages of datasets: what is there, where versions come from, their files, and what differs."""

import gzip
import io
import json
import re
import tarfile
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from console.checks import ATTACK
from console.conftest import Tab
from console.test_previews import png
from support.api import Api, unique
from support.datasets import Dataset

pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]

ROWS = "id,score\n" + "".join(f"{i},{i * 7 % 100}\n" for i in range(600))


@pytest.fixture(scope="module")
def wine(server):
    """Seven versions: `main` from 1 to 3 and 6, `trial` from 2 over 4 to 5, `fix` at 7 from 3."""
    dataset = Dataset(Api(server.url), unique("wine"), description="**Wines** of Portugal")
    dataset.commit({
        "README.md": "# Read me\n\n*first*\n", "rows.csv": ROWS, "events.jsonl": '{"id": 1, "tags": ["a"]}\n{"id": 2, "user": "ada"}\nbroken\n',
        "packed.csv.gz": gzip.compress(b"a,b\n1,2\n"), "code/load.py": "def load():\n    return 1  # one\n", "images/a.png": png(30, 20), "weights.bin": b"\0" * 100,
    }, "First delivery", author="ada")
    dataset.commit({"rows.csv": ROWS.replace("\n5,35\n", "\n5,36\n")}, "Correct a row", author="grace")
    dataset.commit({"images/b.png": png(10, 10)}, "More pictures\n\nTaken on Monday.")
    dataset.ref("trial", "branch", "v2")
    dataset.commit({"trial/a.txt": "a"}, "Try it", branch="trial")
    dataset.commit({"trial/b.txt": "b"}, "Try on", branch="trial")
    dataset.commit({"images/a.png": png(31, 20), "weights.bin": None}, "Smaller")
    dataset.ref("fix", "branch", "v3")
    dataset.commit({"rows.csv": "id,score\n"}, "Begin anew", branch="fix")
    dataset.ref("golden", "tag", "v2")
    return dataset


def test_a_new_server_tells_how_a_dataset_is_made(chromium, start_server):
    tab = Tab(chromium, start_server().url)
    tab.open("/console")
    tab.page.get_by_role("navigation", name="Sections").get_by_role("link", name="Datasets").click()
    expect(tab.page.get_by_text("No datasets yet")).to_be_visible()
    code = tab.page.locator(".empty pre")
    expect(code.first).to_have_text("apus data commit ./wine --dataset wine -m 'First delivery'")
    expect(code.last).to_contain_text(f"dvc remote add -d apus {tab.url}/dvc/wine")
    expect(tab.page.get_by_role("link", name="Datasets", exact=True)).to_have_attribute("aria-current", "page")
    tab.context.close()
    assert not tab.complaints and not tab.foreign


def test_the_list_is_searched_and_leads_on(tab, wine):
    tab.open("/console/datasets")
    search = tab.page.get_by_role("searchbox", name="Name contains")
    tab.page.keyboard.press("/")
    expect(search).to_be_focused()
    tab.page.keyboard.type(wine.name.upper())
    tab.page.keyboard.press("Enter")
    row = tab.page.get_by_role("row", name=re.compile(wine.name))
    expect(row).to_have_count(1)
    expect(row).to_contain_text("v6")
    expect(row).to_contain_text("**Wines** of Portugal")
    expect(row.get_by_role("cell").nth(2)).to_have_text("7")
    row.get_by_role("link", name=wine.name, exact=True).click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(wine.name)
    # What stands for many signs in a pattern is a sign here.
    for text in ["_%", "nothing like it"]:
        tab.open(f"/console/datasets?name={text.replace('%', '%25')}")
        expect(tab.page.get_by_text(f"None has a name that contains “{text}”.")).to_be_visible()


def test_the_list_goes_on_page_by_page(tab, server):
    api, prefix = Api(server.url), unique("page")
    for number in range(101):
        Dataset(api, f"{prefix}-{number:03}", description="")
    tab.open(f"/console/datasets?name={prefix}")
    links = tab.page.get_by_role("row").get_by_role("link")
    expect(links).to_have_count(100)
    tab.page.get_by_role("link", name="More datasets").click()
    expect(links).to_have_text([f"{prefix}-100"])
    tab.page.get_by_role("link", name="First datasets").click()
    expect(links).to_have_count(100)


def test_the_palette_finds_datasets(tab, wine):
    tab.open("/console")
    tab.page.keyboard.press("Control+k")
    tab.page.get_by_role("combobox", name="Jump to").fill(wine.name)
    expect(tab.page.get_by_role("option", name=re.compile(f"Dataset {wine.name}"))).to_have_count(1)
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(wine.name)


def test_a_dataset_shows_its_versions_as_a_graph(tab, wine):
    tab.open(f"/console/datasets/{wine.name}")
    expect(tab.page.locator(".markdown strong")).to_have_text("Wines")
    graph = tab.page.get_by_role("list", name="Versions, the newest first")
    rows = graph.get_by_role("listitem")
    expect(rows).to_have_count(7)
    assert [text.split()[0] for text in rows.locator(".graph-text > div:first-child > a").all_inner_texts()] == [f"v{n}" for n in range(7, 0, -1)]
    for place, label in [(0, "branch fix"), (1, "branch main"), (2, "branch trial"), (5, "tag golden")]:
        expect(rows.nth(place).locator(".badge")).to_have_text(label)
    # The default branch is in the first lane; the others have lanes of their own, and end in the version they came from.
    lanes = rows.locator("circle").evaluate_all("dots => dots.map(dot => Number(dot.getAttribute('cx')))")
    assert lanes[1] == lanes[4] == lanes[5] == lanes[6] == min(lanes)
    assert lanes[2] == lanes[3] and len({lanes[0], lanes[1], lanes[2]}) == 3
    curved = [rows.nth(place).locator("path[d*=C]").count() for place in range(7)]
    assert curved == [0, 0, 0, 0, 1, 1, 0]
    expect(rows.nth(0)).to_contain_text("from v3")
    rows.nth(0).get_by_role("link", name="What v7 changed").click()
    expect(tab.page).to_have_url(re.compile(r"/diff\?from=v3&to=v7$"))


def test_code_that_gets_a_dataset_names_this_server(tab, wine):
    tab.open(f"/console/datasets/{wine.name}")
    samples = tab.page.locator(".samples")
    for title in ["curl", "DVC", "Git LFS"]:
        samples.get_by_text(title).first.click()
    for line in [f"export APUS_SERVER={tab.url}", f"apus data checkout {wine.name}", f"dvc remote add -d apus {tab.url}/dvc/{wine.name}", f"git config lfs.url {tab.url}/lfs/{wine.name}"]:
        expect(samples).to_contain_text(line)
    address = re.search(r"curl -fsS (\S+)", samples.inner_text())[1]
    names = tarfile.open(fileobj=io.BytesIO(wine.api.send("GET", address.removeprefix(tab.url)).content)).getnames()
    assert "rows.csv" in names and "weights.bin" not in names


def test_versions_go_on_page_by_page_and_lines_with_them(tab, server):
    dataset = Dataset(Api(server.url))
    dataset.commit({"a": "0"}, "0")
    dataset.ref("side", "branch", "v1")
    for number in range(2, 131):
        dataset.commit({"a": f"{number}"}, f"{number}", branch="side" if number == 130 else None)
    tab.open(f"/console/datasets/{dataset.name}")
    seen = []
    for pages, button in [(100, "Older versions"), (30, "Newer versions"), (100, None)]:
        rows = tab.page.locator(".graph > li")
        expect(rows).to_have_count(pages)
        seen += [text.split()[0] for text in rows.locator(".graph-text > div:first-child > a").all_inner_texts()]
        if button:
            tab.page.get_by_role("link", name=button).click()
            tab.page.wait_for_url("**before=*" if button == "Older versions" else f"**/{dataset.name}#versions")
    assert seen == [f"v{n}" for n in range(130, 0, -1)] + [f"v{n}" for n in range(130, 30, -1)]
    tab.open(f"/console/datasets/{dataset.name}?before=v31")
    # Both lines come from above, and meet in the first version.
    assert tab.page.locator(".graph > li").first.locator("path").count() == 3
    expect(tab.page.locator(".graph > li").last.locator("path[d*=C]")).to_have_count(1)


def test_a_version_tells_where_it_is_from(tab, wine):
    tab.open(f"/console/datasets/{wine.name}/versions/v3")
    about = tab.page.locator(".card", has=tab.page.get_by_role("heading", name="About"))
    expect(about).to_contain_text("More pictures\n\nTaken on Monday.")
    expect(about.get_by_role("link", name="v2")).to_be_visible()
    expect(about.get_by_role("link", name="1 added")).to_have_attribute("href", re.compile("from=v2&to=v3"))
    expect(about).to_contain_text(wine.api.ok("GET", f"{wine.path}/versions/v3")["identifier"])
    # A branch leads to its version.
    tab.open(f"/console/datasets/{wine.name}/versions/trial")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(f"{wine.name}, v5")
    expect(tab.page.locator(".heading .badge")).to_have_text("branch trial")


def shown(tab, dataset, path, version="v1"):
    tab.open(f"/console/datasets/{dataset.name}/versions/{version}?path={path}")
    preview = tab.page.get_by_role("region", name="Preview", exact=True)
    expect(preview).to_have_attribute("aria-busy", "false")
    return preview


def test_files_are_previewed_by_kind(tab, wine):
    preview = shown(tab, wine, "rows.csv")
    expect(preview.locator("tbody tr")).to_have_count(500)
    expect(preview).to_contain_text("600 rows, 2 columns")
    preview = shown(tab, wine, "events.jsonl")
    expect(preview).to_contain_text("2 lines, 3 members; 1 line is not valid JSON")
    expect(preview.locator("thead th")).to_have_text(["id", "tags", "user"])
    expect(preview.locator("tbody tr").first.locator("td")).to_have_text(["1", '["a"]', ""])
    preview.get_by_role("button", name="Text").click()
    expect(preview.locator("pre")).to_contain_text("broken")
    expect(shown(tab, wine, "packed.csv.gz").locator("tbody td")).to_have_text(["1", "2"])
    preview = shown(tab, wine, "code/load.py")
    expect(preview.locator(".hljs-keyword").first).to_have_text("def")
    expect(tab.page.get_by_role("treeitem", name="load.py")).to_have_attribute("aria-selected", "true")
    preview = shown(tab, wine, "images/a.png")
    expect(preview.get_by_role("img")).to_be_visible()
    expect(preview.locator("output")).to_contain_text("30 × 20 px")
    preview = shown(tab, wine, "weights.bin")
    expect(preview).to_contain_text("No preview")
    with tab.page.expect_download() as download:
        preview.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "weights.bin"
    assert download.value.path().read_bytes() == b"\0" * 100


def test_a_readme_is_shown_first(tab, wine):
    tab.open(f"/console/datasets/{wine.name}/versions/v1")
    preview = tab.page.get_by_role("region", name="Preview", exact=True)
    expect(preview.get_by_role("heading", name="Read me")).to_be_visible()
    expect(preview.locator("em")).to_have_text("first")


def test_a_folder_is_listed_and_comes_as_one_archive(tab, wine):
    preview = shown(tab, wine, "images", "main")
    expect(preview).to_contain_text("2 files")
    with tab.page.expect_download() as download:
        preview.get_by_role("link", name="Download tar").click()
    assert sorted(tarfile.open(download.value.path()).getnames()) == ["images/a.png", "images/b.png"]
    preview.get_by_role("button", name="b.png").click()
    expect(preview.get_by_role("heading", name="b.png")).to_be_visible()
    assert tab.page.url.endswith("path=images%2Fb.png")
    preview.get_by_role("button", name="Address").evaluate("button => window.copied = button.dataset.copy")
    assert wine.api.send("GET", tab.page.evaluate("copied").removeprefix(tab.url)).content == png(10, 10)


def test_the_tree_of_a_large_version_by_keys_alone(tab, server):
    dataset = Dataset(Api(server.url))
    dataset.commit({f"many/{number:04}.txt": str(number % 10) for number in range(520)} | {"a/b/c/leaf.txt": "leaf"})
    tab.open(f"/console/datasets/{dataset.name}/versions/main")
    tree = tab.page.get_by_role("tree", name="Files")
    tree.get_by_role("treeitem").first.focus()
    focused = tab.page.locator(":focus")
    tab.page.keyboard.press("m")
    expect(focused).to_have_accessible_name("many")
    tab.page.keyboard.press("ArrowRight")
    expect(tree.get_by_role("treeitem", name=re.compile("^0"))).to_have_count(500)
    tab.page.keyboard.press("End")
    tab.page.keyboard.press("Enter")
    expect(tree.get_by_role("treeitem", name=re.compile("^0"))).to_have_count(520)
    expect(focused).to_have_accessible_name("0500.txt")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", name="0500.txt")).to_be_visible()
    # A folder that stands behind the first page of its own is shown all the same.
    shown(tab, dataset, "a/b/c")
    expect(tab.page.get_by_role("treeitem", name="c", exact=True)).to_have_attribute("aria-expanded", "true")


def test_files_are_found_without_scripts(chromium, server):
    dataset = Dataset(Api(server.url))
    dataset.commit({f"many/{number:03}.txt": "x" for number in range(210)} | {"one.txt": "one"})
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/console/datasets/{dataset.name}/versions/main")
    page.get_by_role("link", name="many/").click()
    expect(page.locator(".tree li")).to_have_count(202)
    page.get_by_role("link", name="More", exact=True).click()
    expect(page.locator(".tree li a")).to_have_text(["..", *[f"{number:03}.txt" for number in range(200, 210)]])
    page.get_by_role("link", name="205.txt").click()
    expect(page.locator(".preview dd").first).to_be_visible()
    expect(page.locator(".preview dd code").first).to_have_text("many/205.txt")
    expect(page.get_by_role("link", name="Download", exact=True)).to_have_attribute("href", re.compile("files/many/205.txt$"))
    context.close()


def test_two_versions_are_compared(tab, wine):
    tab.open(f"/console/datasets/{wine.name}/diff")
    expect(tab.page.get_by_role("combobox", name="From version")).to_have_value("v3")
    expect(tab.page.get_by_role("combobox", name="to version")).to_have_value("v6")
    files = tab.page.get_by_role("table", name="Files")
    expect(files.locator("tbody tr")).to_have_count(2)
    expect(files.get_by_role("row", name=re.compile("weights.bin"))).to_contain_text("Removed")
    expect(files.get_by_role("row", name=re.compile("weights.bin"))).to_contain_text("−100 B")
    tab.page.get_by_role("combobox", name="From version").select_option("golden")
    tab.page.get_by_role("button", name="Compare").click()
    expect(tab.page.get_by_text("1 added, 1 removed, 1 changed")).to_be_visible()
    tab.page.get_by_role("link", name="Swap").click()
    expect(files.get_by_role("row").filter(has_text="images/b.png")).to_contain_text("Removed")
    files.get_by_role("link", name="images/a.png").click()
    pictures = tab.page.locator("#file img")
    expect(pictures).to_have_count(2)
    assert pictures.evaluate_all("pictures => Promise.all(pictures.map(async picture => { await picture.decode(); return picture.naturalWidth; }))") == [31, 30]
    tab.open(f"/console/datasets/{wine.name}/diff?from=v2&to=v2")
    expect(tab.page.get_by_text("Both versions have the same files.")).to_be_visible()


def test_short_texts_are_compared_by_lines(tab, wine):
    tab.open(f"/console/datasets/{wine.name}/diff?from=v1&to=v2")
    tab.page.get_by_role("link", name="rows.csv").click()
    lines = tab.page.get_by_role("table", name="Lines that differ")
    expect(lines.locator(".line-removed")).to_have_text(re.compile("removed: .*5,35$"))
    expect(lines.locator(".line-added")).to_have_text(re.compile("added: .*5,36$"))
    expect(lines.locator(".line-removed .number").first).to_have_text("7")
    expect(lines.locator(".line-gap")).to_have_text([re.compile("3 equal lines"), re.compile("591 equal lines")])
    expect(tab.page.get_by_role("link", name="Show in v1")).to_have_attribute("href", re.compile("versions/v1\\?path=rows.csv"))


def test_differences_go_on_page_by_page(tab, server):
    dataset = Dataset(Api(server.url))
    dataset.commit({f"{number:03}.txt": "old" for number in range(250)})
    dataset.commit({f"{number:03}.txt": "new" for number in range(250)} | {"binary": b"\0", "large": "x" * 300_000})
    tab.open(f"/console/datasets/{dataset.name}/diff")
    expect(tab.page.get_by_text("2 added, 250 changed")).to_be_visible()
    rows = tab.page.get_by_role("table", name="Files").locator("tbody tr")
    expect(rows).to_have_count(200)
    tab.page.get_by_role("link", name="More files").click()
    expect(rows).to_have_count(52)
    rows.get_by_role("link", name="binary").click()
    expect(tab.page.locator("#file")).to_contain_text("no text")
    tab.page.go_back()
    rows.get_by_role("link", name="large").click()
    expect(tab.page.locator("#file")).to_contain_text("not compared line by line")


def test_tags_are_made_and_removed(tab, server):
    dataset = Dataset(Api(server.url))
    dataset.commit({"a": "1"})
    dataset.commit({"a": "2"})
    tab.open(f"/console/datasets/{dataset.name}/versions/v1")
    tab.page.get_by_role("button", name="New tag…").click()
    dialog = tab.page.get_by_role("dialog")
    name = dialog.get_by_role("textbox", name="Name")
    name.fill("main")
    tab.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("already has a branch or tag")
    name.fill("release-1")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".heading .badge")).to_have_text("tag release-1")
    assert dataset.refs()["release-1"] == ("tag", 1)
    tab.open(f"/console/datasets/{dataset.name}")
    tab.page.get_by_role("button", name="New tag or branch…").click()
    name.fill("side")
    dialog.get_by_role("combobox", name="Kind").select_option("branch")
    dialog.get_by_role("button", name="Make it").click()
    row = tab.page.get_by_role("row", name=re.compile("^side branch v2"))
    expect(row).to_be_visible()
    tab.page.get_by_role("button", name="Remove tag release-1…").click()
    expect(dialog).to_contain_text(f"Whoever asks for {dataset.name}@release-1 gets an error from now on.")
    dialog.get_by_role("button", name="Remove tag").click()
    expect(tab.page.get_by_role("row", name=re.compile("release-1"))).to_have_count(0)
    assert dataset.refs() == {"main": ("branch", 2), "side": ("branch", 2)}
    tab.complaints = [text for text in tab.complaints if "status of 4" not in text]


def test_a_dataset_is_deleted_with_what_is_lost(tab, server):
    dataset = Dataset(Api(server.url))
    dataset.commit({"a": "1"})
    tab.open(f"/console/datasets/{dataset.name}")
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    expect(tab.page.get_by_role("dialog")).to_contain_text("1 version of it and its branches and tags are lost.")
    tab.page.get_by_role("button", name="Delete dataset").click()
    tab.page.wait_for_url("**/console/datasets")
    assert dataset.api.send("GET", dataset.path).status_code == 404


@pytest.mark.alone
def test_a_commit_elsewhere_is_on_the_page(tab, server):
    dataset = Dataset(Api(server.url))
    dataset.commit({"a": "1"}, "One")
    tab.open(f"/console/datasets/{dataset.name}")
    expect(tab.page.locator(".graph > li")).to_have_count(1)
    dataset.commit({"a": "2"}, "Two")
    expect(tab.page.locator(".graph > li")).to_have_count(2, timeout=5_000)
    expect(tab.page.locator(".stat").first).to_contain_text("v2")


@pytest.mark.parametrize("path, status, words", [
    ("none", 404, "Dataset 'none' does not exist."), ("{}/versions/v99", 404, "no branch, tag or version 'v99'"), ("{}/versions/v1?path=../x", 400, "Invalid path"),
    ("{}/versions/v1?path=rows.csv/x", 404, "no file or directory"), ("{}/diff?from=v1&to=nothing", 404, "no branch, tag or version 'nothing'"),
    ("{}/diff?from=v1&to=v2&path=none", 404, "Neither v1 nor v2"), ("{}?before=x", 400, "the number of a version"), ("{}/versions/%3Cscript%3E", 400, "no name of a branch or tag"),
])
def test_what_is_not_there_is_told(chromium, server, wine, path, status, words):
    tab = Tab(chromium, server.url)
    assert tab.open("/console/datasets/" + path.format(wine.name)).status == status
    expect(tab.page.get_by_role("alert")).to_contain_text(words)
    tab.context.close()


def test_a_dataset_without_versions_says_how_one_is_made(tab, server):
    dataset = Dataset(Api(server.url), description="")
    tab.open(f"/console/datasets/{dataset.name}")
    expect(tab.page.get_by_text(f"apus data commit ./{dataset.name} --dataset {dataset.name}")).to_be_visible()
    tab.open(f"/console/datasets/{dataset.name}/diff")
    expect(tab.page.get_by_text("Nothing to compare")).to_be_visible()


def test_names_and_messages_are_only_texts(tab, server):
    dataset = Dataset(Api(server.url), description=ATTACK)
    attack = ATTACK.replace("/", "∕")
    files = {f"{attack}.csv": f"{ATTACK},b\n1,{ATTACK}\n", "\u202egpj.exe": "x", "n" * 250 + ".txt": ATTACK, "a b/c#d?e%41+f&g.jsonl": json.dumps({ATTACK: ATTACK, "__proto__": {"polluted": True}}) + "\n",
             "😀🎉/x.md": f"# {ATTACK}\n\n[x](javascript:alert(1))", "x.html": ATTACK}
    dataset.commit(files, f"{ATTACK}\n\u202e😀 {'long' * 2000}", author=ATTACK)
    dataset.commit({path: content + ATTACK for path, content in files.items()}, "\u202e" + ATTACK)
    page = f"/console/datasets/{dataset.name}"
    addresses = ["/console/datasets?name=" + quote(ATTACK), f"/console/datasets?name={dataset.name}", page, f"{page}/versions/v1", f"{page}/diff"]
    for path in files:
        addresses += [f"{page}/versions/v2?path={quote(path)}", f"{page}/diff?from=v1&to=v2&path={quote(path)}"]
    for address in addresses:
        assert tab.open(address).status == 200, address
        if "path=" in address and "/versions/" in address:
            expect(tab.page.get_by_role("region", name="Preview", exact=True)).to_have_attribute("aria-busy", "false")
        assert tab.page.evaluate("[window.attacked ?? 0, ({}).polluted ?? 0, document.querySelectorAll('main img[src=x], main script, [onerror]').length, document.documentElement.scrollWidth - innerWidth <= 0]") == [0, 0, 0, True], address
    # What turns the direction of writing is shown, and turns nothing.
    tab.open(f"{page}/versions/v1")
    expect(tab.page.get_by_role("treeitem", name="\ufffdgpj.exe")).to_be_visible()
    tab.complaints = [text for text in tab.complaints if "Blocked script" not in text and "Content Security Policy" not in text]
