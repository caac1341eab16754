// The files of a run: a tree that opens as one walks, and a preview that never lets a file act in the page.

const host = document.getElementById("artifacts");
const tree = host.querySelector("[data-tree]");
const preview = host.querySelector("[data-preview]");
const apus = window.apus;
const run = host.dataset.run;
// More of a text than this is not shown; it can be downloaded.
const TEXT_LIMIT = 512 * 1024;
const ROW_LIMIT = 500;

const address = (path) => new URL(`get-artifact?${new URLSearchParams({ run_id: run, path })}`, document.baseURI);

const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
};

const size = (bytes) => {
    const units = ["bytes", "kB", "MB", "GB", "TB"];
    let place = 0;
    while (bytes >= 1000 && place < units.length - 1) {
        bytes /= 1000;
        place++;
    }
    return place === 0 ? `${bytes} ${bytes === 1 ? "byte" : "bytes"}` : `${bytes.toFixed(1)} ${units[place]}`;
};

// MARK: Tree

const list = async (path) => {
    const items = new URLSearchParams({ run_id: run });
    if (path) items.set("path", path);
    const answer = await apus.ask(`ajax-api/2.0/mlflow/artifacts/list?${items}`);
    return (answer.files ?? []).sort((left, right) => Number(right.is_dir ?? false) - Number(left.is_dir ?? false) || left.path.localeCompare(right.path));
};

const branch = async (path) => {
    const files = await list(path);
    return make("ul", {}, ...files.map((file) => {
        const name = file.path.split("/").at(-1);
        const button = make("button", { type: "button", textContent: file.is_dir ? `▸ ${name}` : name, title: file.path });
        const item = make("li", {}, button);
        if (file.is_dir) {
            button.ariaExpanded = "false";
            button.addEventListener("click", async () => {
                const isOpen = button.ariaExpanded === "true";
                button.ariaExpanded = String(!isOpen);
                button.textContent = `${isOpen ? "▸" : "▾"} ${name}`;
                if (isOpen) item.querySelector("ul")?.remove();
                else item.append(await branch(file.path));
            });
        } else {
            button.addEventListener("click", () => {
                tree.querySelector("[aria-current]")?.removeAttribute("aria-current");
                button.setAttribute("aria-current", "true");
                show(file);
            });
        }
        return item;
    }));
};

// MARK: Previews

const images = /\.(png|jpe?g|gif|webp|bmp|ico|svg|avif)$/i;
const sounds = /\.(wav|mp3|ogg|flac|m4a)$/i;
const films = /\.(mp4|webm|mov|ogv)$/i;
const tables = /\.(csv|tsv)$/i;
const pages = /\.html?$/i;
const texts = /\.(txt|log|json|jsonl|ya?ml|md|markdown|py|toml|cfg|ini|xml|sh|sql|r|js|ts|css|lock|env|conf|rst|tex|patch|diff)$|(^|\/)(MLmodel|Dockerfile|Makefile|LICENSE|README|conda|requirements)[^/]*$/i;

const text = async (path) => {
    const response = await fetch(address(path), { headers: { Range: `bytes=0-${TEXT_LIMIT - 1}` } });
    if (!response.ok && response.status !== 416) throw new Error(`The file could not be read (${response.status}).`);
    return response.status === 416 ? "" : response.text();
};

// Cells of CSV or TSV, with quotes; at most so many rows.
const cells = (source, separator) => {
    const rows = [[""]];
    let isQuoted = false;
    for (let place = 0; place < source.length && rows.length <= ROW_LIMIT; place++) {
        const sign = source[place];
        const row = rows.at(-1);
        if (isQuoted) {
            if (sign !== '"') row[row.length - 1] += sign;
            else if (source[place + 1] === '"') row[row.length - 1] += source[++place];
            else isQuoted = false;
        } else if (sign === '"') isQuoted = true;
        else if (sign === separator) row.push("");
        else if (sign === "\n") rows.push([""]);
        else if (sign !== "\r") row[row.length - 1] += sign;
    }
    return rows.filter((row) => row.length > 1 || row[0] !== "");
};

const table = (source, separator) => {
    const [first = [], ...rest] = cells(source, separator);
    const line = (row, kind) => make("tr", {}, ...row.map((cell) => make(kind, { textContent: cell })));
    return make("div", { className: "table-wrap" }, make("table", {}, make("thead", {}, line(first, "th")), make("tbody", {}, ...rest.map((row) => line(row, "td")))));
};

// Shown in a frame without scripts, forms or an origin of its own.
const frame = (source) => {
    const element = make("iframe", { title: "Preview" });
    element.setAttribute("sandbox", "");
    element.srcdoc = source;
    return element;
};

const content = async (file) => {
    const { path } = file;
    if (images.test(path)) return make("img", { src: address(path), alt: path });
    if (sounds.test(path)) return make("audio", { src: address(path), controls: true });
    if (films.test(path)) return make("video", { src: address(path), controls: true });
    if (tables.test(path)) return table(await text(path), /\.tsv$/i.test(path) ? "\t" : ",");
    if (pages.test(path)) return frame(await text(path));
    if (/\.json$/i.test(path)) {
        const source = await text(path);
        try {
            return make("pre", { textContent: JSON.stringify(JSON.parse(source), null, 2) });
        } catch {
            return make("pre", { textContent: source });
        }
    }
    if (texts.test(path) || Number(file.file_size ?? 0) <= 64 * 1024) {
        const source = await text(path);
        if (!source.includes("\0")) return make("pre", { textContent: source });
    }
    return make("p", { className: "muted", textContent: "There is no preview for this kind of file." });
};

let turn = 0;
const show = async (file) => {
    const mine = ++turn;
    const bytes = Number(file.file_size ?? 0);
    const head = make(
        "div", { className: "card-head" },
        make("h2", { textContent: file.path }),
        make("span", { className: "muted", textContent: size(bytes) }),
        make("a", { className: "button", href: address(file.path), download: file.path.split("/").at(-1), textContent: "Download" }),
    );
    preview.replaceChildren(head, make("div", { className: "skeleton", textContent: "Loading…" }));
    let shown;
    try {
        shown = await content(file);
    } catch (error) {
        shown = make("p", { className: "empty-error", textContent: error.message });
    }
    if (mine !== turn) return;
    const note = bytes > TEXT_LIMIT && shown.matches("pre, .table-wrap") ? [make("p", { className: "muted", textContent: `The first ${size(TEXT_LIMIT)} are shown.` })] : [];
    preview.replaceChildren(head, ...note, shown);
};

// MARK: Begin

try {
    const root = await branch("");
    if (root.children.length) tree.replaceChildren(root);
    else tree.replaceChildren(make("div", { className: "empty" }, make("p", { className: "empty-title", textContent: "No artifacts" }), make("p", { className: "muted", textContent: "mlflow.log_artifact(path)" })));
} catch (error) {
    tree.replaceChildren(make("p", { className: "empty-error", textContent: error.message }));
}
