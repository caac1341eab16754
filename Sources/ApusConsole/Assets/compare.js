// Differences between runs that follow what is typed, and images of runs side by side.

const apus = window.apus;

// MARK: Differences

const form = document.querySelector("[data-differences]");
const tables = document.querySelector("[data-tables]");

// Asks for the tables anew; the rest of the page stays, with what has the focus.
let turn = 0;
const refresh = async () => {
    const now = ++turn;
    const url = new URL(form.action);
    for (const [name, value] of new FormData(form)) if (value) url.searchParams.append(name, value);
    tables.ariaBusy = "true";
    try {
        const response = await fetch(url, { headers: { Accept: "text/html" } });
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-tables]");
        if (now !== turn) return;
        if (!response.ok || !fresh) throw new Error(`The server answered ${response.status}.`);
        tables.replaceChildren(...document.adoptNode(fresh).childNodes);
        history.replaceState(null, "", url);
    } catch (error) {
        apus.toast(error.message, true);
    }
    if (now === turn) tables.ariaBusy = "false";
};

if (form) {
    let pause;
    form.addEventListener("input", () => {
        clearTimeout(pause);
        pause = setTimeout(refresh, 150);
    });
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        clearTimeout(pause);
        refresh();
    });
}

// MARK: Images

const host = document.getElementById("images");
const RUNS = 12;
const ROWS = 12;
const FOLDERS = 24;
const DEPTH = 4;
const images = /\.(png|jpe?g|gif|webp|bmp|svg|avif)$/i;

const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
};

const address = (run, path) => new URL(`get-artifact?${new URLSearchParams({ run_id: run, path })}`, document.baseURI);

// mlflow.log_image names files by key, step, time and chance, and keeps a small copy of each; runs share key and step.
const shared = (path) => {
    const named = /^(.*?)[+%]step[+%](\d+)[+%]timestamp[+%](.*)$/.exec(path);
    if (!named) return { name: path };
    return { name: `${named[1].replaceAll(/[#~]/g, "/")}, step ${Number(named[2])}`, isCopy: /[+%]compressed\.\w+$/.test(named[3]) };
};

// The images of a run, paths by name: its folders are walked to a depth, and no more than so many.
const imagesOf = async (run) => {
    const found = new Map();
    const folders = [["", 0]];
    for (let walked = 0; folders.length && walked < FOLDERS; walked++) {
        const [path, depth] = folders.shift();
        const items = new URLSearchParams({ run_id: run, ...(path && { path }) });
        const answer = await apus.ask(`ajax-api/2.0/mlflow/artifacts/list?${items}`);
        for (const file of answer.files ?? []) {
            if (!file.is_dir) {
                const { name, isCopy } = shared(file.path);
                if (images.test(file.path) && !(isCopy && found.has(name))) found.set(name, file.path);
            } else if (depth < DEPTH) folders.push([file.path, depth + 1]);
        }
    }
    return { found, isPart: folders.length > 0 };
};

const showImages = async () => {
    const all = host.dataset.runIds.split("\n");
    const names = host.dataset.runNames.split("\n");
    const ids = all.slice(0, RUNS);
    const place = make("div", { role: "status" }, make("p", { className: "skeleton", textContent: "Loading…" }));
    host.append(place);
    const answers = await Promise.allSettled(ids.map(imagesOf));
    const lists = answers.map((answer) => answer.value ?? { found: new Map() });
    const counts = new Map();
    for (const { found } of lists) for (const name of found.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
    // What most runs have can be compared best.
    const pictures = [...counts].sort(([left, many], [right, more]) => more - many || left.localeCompare(right, "en", { numeric: true })).map(([name]) => name);
    const notes = [];
    if (all.length > RUNS) notes.push(`Images of the first ${RUNS} of ${all.length} runs are shown.`);
    if (lists.some(({ isPart }) => isPart)) notes.push(`Only the first ${FOLDERS} folders of each run were looked into.`);
    const failed = answers.filter(({ status }) => status === "rejected");
    if (failed.length) notes.push(`The files of ${failed.length} ${failed.length === 1 ? "run" : "runs"} could not be listed: ${failed[0].reason.message}`);
    const note = make("p", { className: "muted", textContent: notes.join(" "), hidden: !notes.length });
    if (!pictures.length) {
        const empty = make("div", { className: "empty" }, make("p", { className: "empty-title", textContent: "No images" }), make("p", { className: "muted", textContent: "mlflow.log_figure(figure, \"plot.png\") or mlflow.log_image(image, \"sample.png\") puts some here." }));
        place.replaceChildren(note, empty);
        return;
    }
    const head = make("tr", {}, make("th", { scope: "col", textContent: "File" }), ...ids.map((id, column) => make("th", { scope: "col" }, make("a", { href: `console/runs/${id}/artifacts`, textContent: names[column], title: names[column] }))));
    const body = make("tbody");
    const find = make("input", { type: "search", className: "grow", placeholder: "Find images, text or /regular expression/", ariaLabel: "Find images", value: new URL(location.href).searchParams.get("find") ?? "" });
    const more = make("button", { type: "button", className: "button" });
    let shown = ROWS;
    const arrange = () => {
        const matches = apus.matcher(find.value);
        if (!matches) return;
        const found = pictures.filter((name) => matches(name));
        body.replaceChildren(...found.slice(0, shown).map((name) => make("tr", {}, make("th", { scope: "row", textContent: name }), ...ids.map((id, column) => {
            const path = lists[column].found.get(name);
            if (!path) return make("td", { className: "muted", textContent: "–" });
            const picture = make("img", { loading: "lazy", decoding: "async", src: address(id, path), alt: `${name} of ${names[column]}` });
            return make("td", {}, make("button", { type: "button", className: "picture", ariaLabel: `Enlarge ${name} of ${names[column]}` }, picture));
        }))));
        more.hidden = found.length <= shown;
        more.textContent = `Show more of ${found.length} images`;
    };
    find.addEventListener("input", () => {
        shown = ROWS;
        const url = new URL(location.href);
        if (find.value) url.searchParams.set("find", find.value);
        else url.searchParams.delete("find");
        history.replaceState(null, "", url);
        arrange();
    });
    more.addEventListener("click", () => {
        shown += ROWS;
        arrange();
    });
    const large = make("dialog", { className: "picture-dialog", ariaLabel: "Image" });
    large.addEventListener("click", () => large.close());
    body.addEventListener("click", (event) => {
        const picture = event.target.closest(".picture")?.querySelector("img");
        if (!picture) return;
        large.replaceChildren(make("p", { className: "muted", textContent: picture.alt }), make("img", { src: picture.src, alt: picture.alt }), make("button", { type: "button", className: "button", textContent: "Close" }));
        large.showModal();
    });
    const table = make("table", { className: "pictures", ariaLabel: "Images" }, make("thead", {}, head), body);
    place.replaceWith(make("div", { className: "toolbar" }, find), note, make("div", { className: "table-wrap", role: "region", ariaLabel: "Images", tabIndex: 0 }, table), more, large);
    arrange();
};

if (host) showImages().catch((error) => apus.toast(error.message, true));
