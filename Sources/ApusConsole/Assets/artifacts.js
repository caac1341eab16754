// The files of a run, a model, or a version of a dataset: a tree that opens as one walks, and what is chosen beside it.

const apus = window.apus;
const { make, icon } = apus;
const { owner, version, address, size, sign, preview: look } = apus.artifacts;
const host = document.getElementById("artifacts");
const tree = host.querySelector("[data-tree]");
const preview = host.querySelector("[data-preview]");
const root = host.dataset.address;
const PAGE = 500;

// What turns the direction of writing could make `exe.jpg` of `gpj.exe`; it is shown, and does nothing.
const plain = (text) => text.replaceAll(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
const name = (path) => plain(path.split("/").at(-1));
const count = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

// MARK: Tree

const foldersFirst = (files) =>
    files.sort((left, right) => Number(right.is_dir ?? false) - Number(left.is_dir ?? false) || left.path.localeCompare(right.path));

const list = async (path, token) => {
    if (owner.dataset) {
        const items = new URLSearchParams({ limit: String(PAGE), ...(path && { path }), ...(token && { page_token: token }) });
        const answer = await apus.ask(`${version}/list?${items}`);
        const files = answer.items.map((item) => ({ path: item.path, is_dir: item.is_directory ?? false, file_size: item.bytes, file_count: item.files }));
        return { files: foldersFirst(files), next: answer.next_page_token };
    }
    const items = new URLSearchParams({ max_results: String(PAGE) });
    if (token) items.set("page_token", token);
    if (path) items.set(owner.model ? "artifact_directory_path" : "path", path);
    if (owner.run) items.set("run_id", owner.run);
    const source = owner.model ? `logged-models/${owner.model}/artifacts/directories` : "artifacts/list";
    const answer = await apus.ask(`ajax-api/2.0/mlflow/${source}?${items}`);
    return { files: foldersFirst(answer.files ?? []), next: answer.next_page_token };
};

// The items of a folder, in pages: those of the next one take the place of the button for more.
const fill = async (group, path, level, token) => {
    const { files, next } = await list(path, token);
    const items = files.map((file) => treeItem(file, level));
    group.append(...items);
    if (next) {
        const more = make("li", { role: "treeitem", className: "more", tabIndex: -1, ariaLevel: String(level) }, make("span", { className: "row", textContent: `Show more than ${group.children.length.toLocaleString("en")}` }));
        more.act = async () => {
            more.remove();
            focus((await fill(group, path, level, next))[0]);
        };
        group.append(more);
    }
    return items;
};

const treeItem = (file, level) => {
    const label = name(file.path);
    const row = make("span", { className: "row", title: plain(file.path) }, icon(file.is_dir ? "folder2" : sign(file.path)), make("span", { className: "clip", textContent: label }));
    if (!file.is_dir || file.file_size !== undefined) row.append(make("span", { className: "muted", textContent: size(Number(file.file_size ?? 0)) }));
    const item = make("li", { role: "treeitem", tabIndex: -1, ariaLabel: label, ariaLevel: String(level) }, row);
    item.file = file;
    if (file.is_dir) {
        item.ariaExpanded = "false";
        row.prepend(icon("chevron-right"));
    }
    item.act = () => choose(item);
    return item;
};

const open = async (item) => {
    if (item.ariaExpanded !== "false") return;
    item.ariaExpanded = "true";
    const group = make("ul", { role: "group" });
    item.append(group);
    try {
        await fill(group, item.file.path, Number(item.ariaLevel) + 1);
        if (!group.children.length) group.append(make("li", { className: "muted", role: "none", textContent: "Empty" }));
    } catch (error) {
        close(item);
        apus.toast(error.message, true);
    }
};

const close = (item) => {
    item.ariaExpanded = "false";
    item.querySelector("ul")?.remove();
};

const visible = () => [...tree.querySelectorAll('[role="treeitem"]')];

// One item is a stop of the Tab key: the one that was visited last.
const focus = (item) => {
    if (!item) return;
    for (const other of tree.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
    item.focus();
};

const choose = async (item) => {
    for (const other of tree.querySelectorAll("[aria-selected]")) other.removeAttribute("aria-selected");
    item.ariaSelected = "true";
    for (const other of tree.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
    await show(item.file);
    // Where the preview stands below the tree, a person would not see that it has changed.
    if (!item.file.is_dir && matchMedia("(max-width: 52rem)").matches) preview.scrollIntoView({ block: "start" });
};

tree.addEventListener("click", async (event) => {
    const item = event.target.closest('[role="treeitem"]');
    if (!item) return;
    focus(item);
    if (item.file?.is_dir) {
        if (item.ariaExpanded === "true") close(item);
        else await open(item);
    }
    await item.act();
});

let typed = "";
let typedAt = 0;
tree.addEventListener("keydown", async (event) => {
    const item = event.target.closest('[role="treeitem"]');
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = visible();
    const at = all.indexOf(item);
    const parent = item.parentElement.closest('[role="treeitem"]');
    const keys = {
        ArrowDown: () => focus(all[at + 1]),
        ArrowUp: () => focus(all[at - 1]),
        Home: () => focus(all[0]),
        End: () => focus(all.at(-1)),
        ArrowRight: async () => {
            if (item.ariaExpanded === "true") focus(item.querySelector('[role="treeitem"]'));
            else if (item.ariaExpanded === "false") await open(item);
        },
        ArrowLeft: () => {
            if (item.ariaExpanded === "true") close(item);
            else focus(parent);
        },
        Enter: () => item.act(),
        " ": () => item.act(),
    };
    if (keys[event.key]) {
        event.preventDefault();
        event.stopPropagation();
        await keys[event.key]();
    } else if (event.key.length === 1) {
        // Letters go to the next name that begins so.
        event.stopPropagation();
        typed = event.timeStamp - typedAt < 700 ? typed + event.key.toLowerCase() : event.key.toLowerCase();
        typedAt = event.timeStamp;
        const from = typed.length > 1 ? at : at + 1;
        focus([...all.slice(from), ...all.slice(0, from)].find((other) => other.ariaLabel?.toLowerCase().startsWith(typed)));
    }
});

// MARK: What is chosen

const copy = (label, text) => {
    const button = make("button", { type: "button", className: "button button-quiet", title: text }, icon("clipboard"), label);
    button.dataset.copy = text;
    return button;
};

// The folders above, each a way back.
const trail = (path) => {
    const steps = path.split("/");
    return make("nav", { className: "trail", ariaLabel: "Folders" }, ...steps.slice(0, -1).flatMap((step, place) => {
        const button = make("button", { type: "button", className: "link", textContent: plain(step) });
        const folder = steps.slice(0, place + 1).join("/");
        button.addEventListener("click", () => reveal(folder, true, owner.dataset ? { path: folder, is_dir: true } : undefined));
        return [button, "/"];
    }), make("h2", { textContent: plain(steps.at(-1)), title: plain(path) }));
};

// What a folder of a dataset holds, for those that stand too far down the tree.
const contents = (files, path) =>
    make("div", { className: "table-wrap", role: "region", ariaLabel: `Content of ${path}`, tabIndex: 0 }, make("table", { ariaLabel: `Content of ${path}` },
        make("thead", {}, make("tr", {}, ...["Name", "Files", "Size"].map((title, place) => make("th", { scope: "col", className: place ? "number" : "", textContent: title })))),
        make("tbody", {}, ...files.map((file) => {
            const button = make("button", { type: "button", className: "link", textContent: file.is_dir ? `${name(file.path)}/` : name(file.path) });
            button.addEventListener("click", () => reveal(file.path, false, file));
            return make("tr", {}, make("td", {}, button), ...[file.is_dir ? file.file_count.toLocaleString("en") : "", size(file.file_size)].map((text) => make("td", { className: "number", textContent: text })));
        }))));

let turn = 0;
const show = async (file) => {
    const mine = ++turn;
    const page = new URL(location.href);
    page.searchParams.set("path", file.path);
    history.replaceState(null, "", page);
    const tools = make("div", { className: "preview-tools" });
    const note = make("span", { className: "muted" });
    // What clients of datasets read a file by is a plain address; a folder has none.
    const where = !owner.dataset ? `${root}/${file.path}` : file.is_dir ? "" : address(file.path).href;
    const actions = make("div", { className: "actions" }, copy("Path", file.path), ...(where ? [copy("Address", where)] : []));
    if (file.is_dir && owner.dataset) {
        note.textContent = file.file_size === undefined ? "" : `${count(file.file_count, "file")}, ${size(file.file_size)}`;
        const archive = new URL(`${version}/archive?${new URLSearchParams({ path: file.path })}`, document.baseURI);
        actions.append(make("a", { className: "button", href: archive }, icon("download"), "Download tar"));
    }
    if (!file.is_dir) {
        note.textContent = file.file_size === undefined ? "" : size(Number(file.file_size));
        actions.append(make("a", { className: "button", href: address(file.path), download: file.path.split("/").at(-1) }, icon("download"), "Download"));
    }
    const head = make("div", { className: "card-head" }, trail(file.path), note, actions);
    const body = make("div", { className: "preview-body" }, make("div", { className: "skeleton", textContent: "Loading…" }));
    preview.replaceChildren(head, tools, body);
    preview.ariaBusy = "true";
    let shown;
    try {
        if (!file.is_dir) {
            shown = await look(file.path, Number(file.file_size ?? 0));
        } else {
            const { files, next } = await list(file.path);
            const model = !owner.dataset && files.find((entry) => name(entry.path) === "MLmodel" && !entry.is_dir);
            const entries = `${files.length === PAGE ? "More than " : ""}${files.length} ${files.length === 1 ? "entry" : "entries"}`;
            if (owner.dataset) shown = { note: next && `The first ${files.length.toLocaleString("en")} entries`, body: [contents(files, file.path)] };
            else shown = model ? await look(model.path, Number(model.file_size)) : { body: [make("div", { className: "empty" }, make("p", { className: "empty-title", textContent: "A folder" }), make("p", { className: "muted", textContent: entries }))] };
        }
    } catch (error) {
        shown = { body: [make("div", { className: "empty empty-error", role: "alert" }, make("p", { className: "empty-title", textContent: "The file cannot be shown" }), make("p", { textContent: error.message }))] };
    }
    if (mine !== turn) return;
    preview.ariaBusy = "false";
    if (shown.note) tools.append(make("span", { className: "muted", textContent: shown.note }));
    tools.prepend(...(shown.tools ?? []));
    body.replaceChildren(...shown.body);
    if (shown.body.length === 1 && shown.body[0].classList.contains("preview-body")) body.replaceWith(shown.body[0]);
};

// Opens the folders above a path and chooses it; a file that stands behind the first page of its folder is shown all the same.
const reveal = async (path, hasFocus = false, known = undefined) => {
    const steps = path.split("/");
    let item;
    for (let place = 1; place <= steps.length; place++) {
        const wanted = steps.slice(0, place).join("/");
        item = visible().find((other) => other.file?.path === wanted);
        if (!item) break;
        if (item.file.is_dir) await open(item);
    }
    if (item) {
        await choose(item);
        item.scrollIntoView({ block: "nearest" });
        if (hasFocus) focus(item);
        return;
    }
    if (known || host.dataset.folder === path) {
        await show(known ?? { path, is_dir: true });
        return;
    }
    const response = await fetch(address(path), { method: "HEAD" });
    await show({ path, file_size: response.ok ? response.headers.get("Content-Length") : undefined });
};

// MARK: Begin

try {
    const top = make("ul", { role: "tree", ariaLabel: "Files" });
    await fill(top, "", 1);
    if (top.children.length) {
        tree.replaceChildren(top);
        top.firstElementChild.tabIndex = 0;
        const readme = () => owner.dataset && visible().find(({ file }) => /^readme(\.md|\.txt)?$/i.test(file?.path ?? ""))?.file.path;
        const wanted = new URL(location.href).searchParams.get("path") || readme();
        if (wanted) await reveal(wanted);
    } else {
        tree.replaceChildren(make("div", { className: "empty" }, make("p", { className: "empty-title", textContent: owner.dataset ? "No files" : "No artifacts" }), make("p", { className: "muted", textContent: host.dataset.hint })));
    }
} catch (error) {
    tree.replaceChildren(make("div", { className: "empty empty-error", role: "alert" }, make("p", { textContent: error.message })));
}
