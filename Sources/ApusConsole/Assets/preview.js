// Shows one file. Nothing of it acts in the page: texts are put in as texts, and documents stay in frames without rights.

const apus = window.apus;
const { make, icon } = apus;
const host = document.getElementById("artifacts");
const owner = host.dataset.model ? { model: host.dataset.model }
    : host.dataset.dataset ? { dataset: host.dataset.dataset, version: host.dataset.version }
    : { run: host.dataset.run };

// More of a text than this is not read; it can be downloaded.
const TEXT_LIMIT = 512 * 1024;
// Longer texts stay without colours.
const COLOUR_LIMIT = 128 * 1024;
const ROWS = 500;
const COLUMNS = 200;
const MEMBERS = 200;

// What the API calls a version of a dataset.
const version = owner.dataset && `api/v1/datasets/${encodeURIComponent(owner.dataset)}/versions/${encodeURIComponent(owner.version)}`;

// Where a file of the run, of the model, or of the dataset's version is read.
const address = (path) => {
    if (owner.dataset) return new URL(`${version}/files/${path.split("/").map(encodeURIComponent).join("/")}`, document.baseURI);
    const query = owner.model
        ? `ajax-api/2.0/mlflow/logged-models/${owner.model}/artifacts/files?${new URLSearchParams({ artifact_file_path: path })}`
        : `get-artifact?${new URLSearchParams({ run_id: owner.run, path })}`;
    return new URL(query, document.baseURI);
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

// A part of a file: from its start, or the last bytes when `range` is negative.
const part = async (path, range) => {
    const header = range < 0 ? `bytes=${range}` : `bytes=0-${range - 1}`;
    const response = await fetch(address(path), { headers: { Range: header } });
    if (response.status === 416) return new Uint8Array();
    if (!response.ok) {
        const answer = await response.json().catch(() => ({}));
        throw new Error(answer.message ?? `The file could not be read (${response.status}).`);
    }
    return new Uint8Array(await response.arrayBuffer());
};
const decode = (bytes) => new TextDecoder().decode(bytes);

const isPacked = (path) => /\.gz$/i.test(path);
// As much of a gzip's content as its beginning gives, and no more than is shown.
const unpacked = async (bytes) => {
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
    const found = new Uint8Array(TEXT_LIMIT);
    let length = 0;
    try {
        while (length < TEXT_LIMIT) {
            const { done, value } = await reader.read();
            if (done) break;
            const piece = value.subarray(0, TEXT_LIMIT - length);
            found.set(piece, length);
            length += piece.length;
        }
        reader.cancel().catch(() => {});
    } catch (error) {
        // The end of a part is missing; what cannot be unpacked at all is no gzip.
        if (!length) throw new Error("This is no gzip, whatever its name says.", { cause: error });
    }
    return found.subarray(0, length);
};
const text = async (path) => {
    const bytes = await part(path, TEXT_LIMIT);
    return decode(isPacked(path) ? await unpacked(bytes) : bytes);
};

const empty = (title, hint) =>
    make("div", { className: "empty" }, make("p", { className: "empty-title", textContent: title }), make("p", { className: "muted", textContent: hint }));

// MARK: Code

const languages = {
    py: "python", ipynb: "json", json: "json", jsonl: "json", geojson: "json", yaml: "yaml", yml: "yaml", mlmodel: "yaml", mlproject: "yaml",
    ndjson: "json", sh: "bash", bash: "bash", sql: "sql", md: "markdown", markdown: "markdown", xml: "xml", html: "xml", htm: "xml", svg: "xml",
    toml: "ini", ini: "ini", cfg: "ini", conf: "ini", env: "ini", lock: "ini", dockerfile: "dockerfile", makefile: "makefile",
    js: "javascript", ts: "typescript", css: "css", r: "r", diff: "diff", patch: "diff", java: "java", cpp: "cpp", c: "cpp", h: "cpp",
    hpp: "cpp", go: "go", rs: "rust", tex: "tex",
};

const extension = (path) => {
    const name = path.split("/").at(-1).toLowerCase().replace(/\.gz$/, "");
    return name.includes(".") ? name.split(".").at(-1) : name;
};

let worker;
let waiting = Promise.resolve();
// The text as spans of colours, or null when that takes more than a moment.
const coloured = (source, language) => {
    const answer = waiting.then(() => new Promise((resolve) => {
        worker ??= new Worker(new URL(host.dataset.highlighter, document.baseURI));
        const end = (result) => {
            clearTimeout(limit);
            worker.onmessage = worker.onerror = null;
            resolve(result);
        };
        const stop = (event) => {
            event?.preventDefault();
            worker.terminate();
            end(null);
            worker = undefined;
        };
        const limit = setTimeout(stop, 1500);
        worker.onmessage = ({ data }) => end(data);
        worker.onerror = stop;
        worker.postMessage({ library: new URL(host.dataset.highlight, document.baseURI).href, language, text: source });
    }));
    waiting = answer;
    return answer;
};

// Takes texts and classes of the highlighter's, and nothing else, out of what it made.
const adopt = (from, into) => {
    for (const node of from.childNodes) {
        if (node.nodeType === Node.TEXT_NODE) into.append(node.data);
        else if (node.nodeType === Node.ELEMENT_NODE) {
            const span = make("span", { className: [...node.classList].filter((name) => /^hljs-[a-z_-]+$/.test(name)).join(" ") });
            adopt(node, span);
            into.append(span);
        }
    }
};

// Colours the text of an element, if its language is known.
const paint = async (block, name) => {
    const language = languages[name] ?? name;
    const source = block.textContent;
    if (!Object.values(languages).includes(language) || source.length > COLOUR_LIMIT) return;
    const markup = await coloured(source, language);
    if (markup === null) return;
    const parsed = new DOMParser().parseFromString(`<pre>\n${markup}</pre>`, "text/html").querySelector("pre");
    // A difference would mean that the highlighter lost something.
    if (parsed?.textContent !== source) return;
    block.replaceChildren();
    adopt(parsed, block);
};

const code = (original, path) => {
    const source = original.replaceAll(/\r\n?/g, "\n");
    const block = make("code", { textContent: source });
    const pre = make("pre", { className: "source" }, block);
    pre.tabIndex = 0;
    pre.role = "region";
    pre.ariaLabel = `Content of ${path}`;
    if (languages[extension(path)]) paint(block, extension(path));
    return pre;
};

const wrapping = (pre) => {
    const button = make("button", { type: "button", className: "button button-quiet", ariaPressed: "false" }, icon("text-wrap"), "Wrap lines");
    button.addEventListener("click", () => {
        button.ariaPressed = String(pre.classList.toggle("wrap"));
    });
    return button;
};

const asText = (source, path) => {
    const pre = code(source, path);
    return { tools: [wrapping(pre)], body: [pre] };
};

// MARK: Tables

// Cells of CSV or TSV, with quotes.
const cells = (source, separator) => {
    const rows = [[]];
    let cell = "";
    let isQuoted = false;
    for (let place = 0; place < source.length; place++) {
        const sign = source[place];
        if (isQuoted) {
            if (sign !== '"') cell += sign;
            else if (source[place + 1] === '"') cell += source[++place];
            else isQuoted = false;
        } else if (sign === '"') isQuoted = true;
        else if (sign === separator || sign === "\n") {
            rows.at(-1).push(cell);
            cell = "";
            if (sign === "\n") rows.push([]);
        } else if (sign !== "\r") cell += sign;
    }
    rows.at(-1).push(cell);
    return rows.filter((row) => row.length > 1 || row[0] !== "");
};

const compare = (left, right) => {
    const [a, b] = [Number(left), Number(right)];
    const isNumber = [left !== "" && !Number.isNaN(a), right !== "" && !Number.isNaN(b)];
    if (isNumber[0] && isNumber[1]) return a - b;
    if (isNumber[0] !== isNumber[1]) return isNumber[0] ? -1 : 1;
    return left < right ? -1 : left > right ? 1 : 0;
};

// Rows of texts below heads that sort; more of them on request.
const table = (heads, rows, label) => {
    const body = make("tbody");
    const isNumber = heads.map((_, place) => rows.length > 0 && rows.slice(0, 100).every((row) => (row[place] ?? "") === "" || !Number.isNaN(Number(row[place]))));
    const buttons = heads.map((head) => make("button", { type: "button", className: "sort", textContent: head === "" ? "–" : head }));
    const titles = buttons.map((button, place) => {
        const title = make("th", { scope: "col", className: isNumber[place] ? "number" : "", title: heads[place], ariaSort: "none" }, button);
        button.addEventListener("click", () => {
            const isUp = title.ariaSort === "ascending";
            for (const other of titles) other.ariaSort = "none";
            title.ariaSort = isUp ? "descending" : "ascending";
            rows.sort((left, right) => (isUp ? -1 : 1) * compare(left[place] ?? "", right[place] ?? ""));
            show(0);
        });
        return title;
    });
    const more = make("button", { type: "button", className: "button" });
    const show = (from) => {
        const lines = rows.slice(from, from + ROWS).map((row) =>
            make("tr", {}, ...heads.map((_, place) => make("td", { textContent: row[place] ?? "", className: isNumber[place] ? "number" : "" }))));
        if (from === 0) body.replaceChildren(...lines);
        else body.append(...lines);
        const shown = Math.min(rows.length, from + ROWS);
        more.hidden = shown >= rows.length;
        more.textContent = `Show ${Math.min(ROWS, rows.length - shown).toLocaleString("en")} more`;
        more.onclick = () => show(shown);
    };
    show(0);
    const wrap = make("div", { className: "table-wrap", role: "region", ariaLabel: label, tabIndex: 0 },
        make("table", { ariaLabel: label }, make("thead", {}, make("tr", {}, ...titles)), body), more);
    return wrap;
};

const asTable = (source, separator, path, isWhole) => {
    const all = cells(source, separator);
    // The last line of a part may have lost its end.
    if (!isWhole && all.length > 1) all.pop();
    const [heads = [], ...rows] = all;
    if (!heads.length) return { body: [empty("No rows", "The file is empty.")] };
    const count = `${rows.length.toLocaleString("en")} ${rows.length === 1 ? "row" : "rows"}, ${heads.length.toLocaleString("en")} ${heads.length === 1 ? "column" : "columns"}`;
    const left = heads.length > COLUMNS ? `; the first ${COLUMNS} columns are shown` : "";
    return { note: count + left, body: [table(heads.slice(0, COLUMNS), rows, `Rows of ${path}`)] };
};

// `mlflow.log_table` writes pandas' "split" form.
const isSplit = (value) =>
    value !== null && typeof value === "object" && Array.isArray(value.columns) && Array.isArray(value.data) && value.columns.length > 0 &&
    value.columns.every((name) => ["string", "number"].includes(typeof name)) && value.data.every((row) => Array.isArray(row));

// MARK: JSON

const summary = (value) =>
    Array.isArray(value) ? `[${value.length.toLocaleString("en")}]` : `{${Object.keys(value).length.toLocaleString("en")}}`;

const scalar = (value) => {
    const kind = value === null ? "literal" : { string: "string", number: "number" }[typeof value] ?? "literal";
    return make("span", { className: `hljs-${kind}`, textContent: JSON.stringify(value) });
};

// A value that opens when it is asked for.
const branch = (name, value, isOpen = false) => {
    const label = name === undefined ? [] : [make("span", { className: "hljs-attr", textContent: name }), ": "];
    if (value === null || typeof value !== "object") return make("li", {}, ...label, scalar(value));
    const inside = make("ul");
    const folded = make("details", {}, make("summary", {}, ...label, make("span", { className: "muted", textContent: summary(value) })), inside);
    const entries = Array.isArray(value) ? value.map((item, place) => [String(place), item]) : Object.entries(value);
    const fill = (from) => {
        inside.append(...entries.slice(from, from + MEMBERS).map(([name, item]) => branch(name, item)));
        const next = from + MEMBERS;
        if (next >= entries.length) return;
        const more = make("button", { type: "button", className: "button button-quiet", textContent: `Show ${Math.min(MEMBERS, entries.length - next)} more` });
        const item = make("li", {}, more);
        more.addEventListener("click", () => {
            item.remove();
            fill(next);
        });
        inside.append(item);
    };
    let isFilled = false;
    const open = () => {
        if (!isFilled) fill(0);
        isFilled = true;
    };
    folded.addEventListener("toggle", () => folded.open && open());
    if (isOpen) {
        folded.open = true;
        open();
    }
    return make("li", {}, folded);
};

// Buttons of which one is down; each shows its view.
const views = (choices) => {
    const body = make("div", { className: "preview-body" });
    const buttons = choices.map(([name, view]) => {
        const button = make("button", { type: "button", className: "button button-quiet", textContent: name });
        button.addEventListener("click", () => {
            for (const other of buttons) other.ariaPressed = String(other === button);
            const shown = view();
            body.replaceChildren(...(Array.isArray(shown) ? shown : [shown]));
        });
        return button;
    });
    buttons[0].click();
    return { tools: [make("div", { className: "segments", role: "group", ariaLabel: "View" }, ...buttons)], body: [body] };
};

const asJSON = (source, path) => {
    let value;
    try {
        value = JSON.parse(source);
    } catch {
        return { note: "Not valid JSON.", ...asText(source, path) };
    }
    const pretty = JSON.stringify(value, null, 2);
    const text = () => code(pretty, path);
    if (value === null || typeof value !== "object") return asText(pretty, path);
    const tree = () => make("ul", { className: "json" }, branch(undefined, value, true));
    if (isFigure(value)) return views([["Figure", () => figure(value, path)], ["JSON", tree]]);
    if (isSplit(value)) {
        const words = (cell) => (typeof cell === "string" ? cell : cell === null ? "" : JSON.stringify(cell));
        const rows = value.data.map((row) => row.map(words));
        return { note: `${rows.length.toLocaleString("en")} rows`, ...views([["Table", () => table(value.columns.slice(0, COLUMNS).map(String), [...rows], `Rows of ${path}`)], ["JSON", tree]]) };
    }
    return views(pretty.length > 20_000 ? [["Tree", tree], ["Text", text]] : [["Text", text], ["Tree", tree]]);
};

// Lines of JSON: a table of their members, when they are objects.
const asLines = (source, path, isWhole) => {
    const lines = source.split("\n");
    // The last line of a part may have lost its end.
    if (!isWhole && lines.length > 1) lines.pop();
    const words = (cell) => (typeof cell === "string" ? cell : cell === undefined ? "" : JSON.stringify(cell));
    const places = new Map();
    const rows = [];
    let broken = 0;
    for (const line of lines) {
        if (!line.trim()) continue;
        let value;
        try {
            value = JSON.parse(line);
        } catch {
            broken++;
            continue;
        }
        const row = [];
        const members = value !== null && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [["value", value]];
        for (const [name, cell] of members) {
            if (!places.has(name)) places.set(name, places.size);
            if (places.get(name) < COLUMNS) row[places.get(name)] = words(cell);
        }
        rows.push(row);
    }
    if (!rows.length) return { note: broken ? "No line is valid JSON." : "", ...asText(source, path) };
    const note = [
        `${rows.length.toLocaleString("en")} ${rows.length === 1 ? "line" : "lines"}, ${places.size.toLocaleString("en")} ${places.size === 1 ? "member" : "members"}`,
        places.size > COLUMNS && `the first ${COLUMNS} members are shown`,
        broken && `${broken.toLocaleString("en")} ${broken === 1 ? "line is" : "lines are"} not valid JSON`,
    ].filter(Boolean).join("; ");
    const heads = [...places.keys()].slice(0, COLUMNS);
    return { note, ...views([["Table", () => table(heads, [...rows], `Lines of ${path}`)], ["Text", () => code(source, path)]]) };
};

// MARK: Figures of Plotly

const isFigure = (value) =>
    Array.isArray(value?.data) && value.data.every((trace) => trace !== null && typeof trace === "object" && !Array.isArray(trace)) &&
    typeof value.layout === "object" && value.layout !== null && !Array.isArray(value.layout);

const figure = (value, path) => {
    const plot = make("div", { className: "figure", role: "img", ariaLabel: `Figure of ${path}` });
    const box = make("div", { className: "figure-box" }, plot);
    apus.drawFigure(plot, value).catch((error) => box.replaceChildren(make("p", { className: "empty-error", textContent: error.message })));
    return box;
};

// The figure in a file that plotly's `write_html` made, as `mlflow.log_figure` does; null for other files.
const figureIn = (source) => {
    let at = source.lastIndexOf("Plotly.newPlot(");
    if (at < 0) return null;
    const values = [];
    let depth = 0;
    let start = -1;
    for (at += "Plotly.newPlot(".length; at < source.length && values.length < 2; at++) {
        const sign = source[at];
        if (sign === '"') {
            for (at++; at < source.length && source[at] !== '"'; at++) if (source[at] === "\\") at++;
        } else if (sign === "[" || sign === "{") {
            if (depth++ === 0) start = at;
        } else if ((sign === "]" || sign === "}") && --depth === 0) values.push(source.slice(start, at + 1));
        else if (sign === ")" && depth === 0) break;
    }
    try {
        const [data, layout = "{}"] = values;
        const found = { data: JSON.parse(data), layout: JSON.parse(layout) };
        return isFigure(found) ? found : null;
    } catch {
        return null;
    }
};

// MARK: Documents

// A frame without scripts, forms or an origin of its own.
const frame = (source, path) => {
    const element = make("iframe", { title: `Preview of ${path}` });
    element.setAttribute("sandbox", "");
    element.srcdoc = source;
    return element;
};

// The same with its scripts, which the answer's policy locks in.
const live = (path) => {
    const element = make("iframe", { title: `Preview of ${path}, with its scripts` });
    element.setAttribute("sandbox", "allow-scripts");
    element.src = new URL(`console/data/html?${new URLSearchParams({ ...owner, path })}`, document.baseURI);
    return element;
};

const asDocument = async (path, bytes) => {
    const start = await text(path);
    // The library stands before the figure in the file.
    const found = figureIn(bytes > TEXT_LIMIT ? decode(await part(path, -4 * TEXT_LIMIT)) : start);
    return views([
        ...(found ? [["Figure", () => figure(found, path)]] : []),
        ["Page", () => frame(start, path)],
        // Pages in a dataset were gathered somewhere; there is no reason to run them.
        ...(owner.dataset ? [] : [["With scripts", () => [make("p", { className: "muted", textContent: "The page's scripts run in a frame that can reach neither this page nor the network." }), live(path)]]]),
        ["Source", () => code(start, path)],
    ]);
};

// The server renders Markdown into elements of ours, in which nothing of the file is markup.
const asMarkdown = async (path) => {
    const query = new URLSearchParams({ ...owner, path });
    const [source, response] = await Promise.all([text(path), fetch(new URL(`console/data/${owner.dataset ? "datasets/" : ""}markdown?${query}`, document.baseURI))]);
    if (!response.ok) return asText(source, path);
    const markup = await response.text();
    const rendered = () => {
        const article = make("article", { className: "part" });
        article.append(...document.adoptNode(new DOMParser().parseFromString(markup, "text/html").body).childNodes);
        for (const block of article.querySelectorAll("code[class^=language-]")) paint(block, block.className.slice("language-".length));
        return article;
    };
    return views([["Page", rendered], ["Source", () => code(source, path)]]);
};

// MARK: Models

const card = (title, ...content) => make("section", { className: "part" }, make("h3", { textContent: title }), ...content);
const facts = (list) => make("dl", { className: "kv" }, ...list.flatMap(({ name, value }) => [make("dt", { textContent: name }), make("dd", { className: "mono", textContent: value })]));
const block = (source, language) => {
    const pre = code(source, `example.${language}`);
    const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
    button.dataset.copy = source;
    return make("div", { className: "code" }, pre, button);
};

const fields = (title, list) =>
    card(title, table(
        ["Name", "Type", title === "Params" ? "Default" : "Required"],
        list.map((field) => [field.name || "–", field.type, title === "Params" ? field.default ?? "" : field.required ? "yes" : "no"]),
        title,
    ));

const example = (model) => {
    const lines = ["import mlflow", "", `model = mlflow.pyfunc.load_model("${model.address}")`];
    const inputs = model.signature?.inputs ?? [];
    const names = inputs.map((field) => field.name);
    if (names.length && names.every((name) => name !== "") && inputs.every((field) => !field.type.startsWith("tensor"))) {
        const shown = names.slice(0, 6).map((name) => `${JSON.stringify(name)}: […]`).join(", ");
        lines.splice(1, 0, "import pandas as pd");
        lines.push(`data = pd.DataFrame({${shown}${names.length > 6 ? ", …" : ""}})`);
    } else lines.push("data = …");
    lines.push("predictions = model.predict(data)");
    return lines.join("\n");
};

const asModel = async (path) => {
    const [model, source] = await Promise.all([
        apus.ask(`console/data/mlmodel?${new URLSearchParams({ ...owner, path })}`).catch((error) => ({ error })),
        text(path),
    ]);
    if (model.error) return { note: model.error.message, ...asText(source, path) };
    const flavor = model.flavors.find(({ name }) => name !== "python_function");
    const signature = model.signature;
    const described = () => make("div", { className: "parts" },
        ...(model.python_function ? [card("Load and predict", block(example(model), "py"))] : []),
        ...(flavor && model.python_function ? [card("Load as itself", block(`import mlflow\n\nmodel = mlflow.${flavor.name}.load_model("${model.address}")`, "py"))] : []),
        ...(signature
            ? [["Inputs", signature.inputs], ["Outputs", signature.outputs], ["Params", signature.params]].filter(([, list]) => list.length).map(([title, list]) => fields(title, list))
            : [card("Signature", make("p", { className: "muted", textContent: "The model has none: mlflow.models.infer_signature(inputs, outputs) makes one." }))]),
        ...model.flavors.map((flavor) => card(`Flavor ${flavor.name}`, facts(flavor.facts))),
        card("About", facts(model.facts)),
    );
    return views([["Model", described], ["File", () => code(source, path)]]);
};

// MARK: Pictures

const asImage = (path) => {
    const image = make("img", { src: address(path), alt: path.split("/").at(-1) });
    const stage = make("div", { className: "stage fit", tabIndex: 0, role: "region", ariaLabel: "Picture" }, image);
    const note = make("output", { className: "muted" });
    let zoom = 0;
    const apply = (next) => {
        zoom = next;
        stage.classList.toggle("fit", zoom === 0);
        image.style.width = zoom === 0 ? "" : `${Math.max(1, image.naturalWidth * zoom)}px`;
        const scale = image.naturalWidth ? image.clientWidth / image.naturalWidth : 1;
        // Single pixels are what a person zooms in for.
        image.style.imageRendering = scale >= 3 ? "pixelated" : "";
        note.textContent = image.naturalWidth ? `${image.naturalWidth} × ${image.naturalHeight} px, at ${Math.round(scale * 100)} %` : "";
    };
    const now = () => zoom || (image.naturalWidth ? image.clientWidth / image.naturalWidth : 1);
    image.addEventListener("load", () => apply(0));
    image.addEventListener("error", () => {
        stage.replaceChildren(empty("This picture cannot be shown", "The file may be damaged, or of another kind than its name says."));
    });
    const button = (label, sign, act) => {
        const element = make("button", { type: "button", className: sign ? "icon-button" : "button button-quiet", title: label, ariaLabel: label }, sign ? icon(sign) : label);
        element.addEventListener("click", act);
        return element;
    };
    const grounds = make("select", { ariaLabel: "Background" }, ...["plain", "checked", "white", "black"].map((name) => make("option", { value: name, textContent: `${name[0].toUpperCase()}${name.slice(1)} background` })));
    grounds.addEventListener("change", () => (stage.dataset.ground = grounds.value));
    return {
        tools: [
            button("Zoom out", "zoom-out", () => apply(Math.max(0.05, now() / 1.5))), button("Zoom in", "zoom-in", () => apply(Math.min(40, now() * 1.5))),
            button("Fit", "", () => apply(0)), button("100 %", "", () => apply(1)), grounds, note,
        ],
        body: [stage],
    };
};

// MARK: Kinds

// Whether all of a file was read; of a packed one that is only known while its text is short.
const isWhole = (path, bytes, source) => bytes <= TEXT_LIMIT && (!isPacked(path) || source.length < TEXT_LIMIT / 4);

const kinds = [
    ["image", /\.(png|jpe?g|gif|webp|bmp|ico|svg|avif)$/i, (path) => asImage(path)],
    ["audio", /\.(wav|mp3|ogg|oga|flac|m4a)$/i, (path) => ({ body: [make("audio", { src: address(path), controls: true })] })],
    ["video", /\.(mp4|webm|mov|ogv)$/i, (path) => ({ body: [make("video", { src: address(path), controls: true })] })],
    ["table", /\.(csv|tsv)(\.gz)?$/i, async (path, bytes) => {
        const source = await text(path);
        return asTable(source, /\.tsv(\.gz)?$/i.test(path) ? "\t" : ",", path, isWhole(path, bytes, source));
    }],
    ["lines", /\.(jsonl|ndjson)(\.gz)?$/i, async (path, bytes) => {
        const source = await text(path);
        return asLines(source, path, isWhole(path, bytes, source));
    }],
    ...(owner.dataset ? [] : [["model", /(^|\/)MLmodel$/, (path) => asModel(path)]]),
    ["html", /\.html?$/i, (path, bytes) => asDocument(path, bytes)],
    ["markdown", /\.(md|markdown)$/i, (path) => asMarkdown(path)],
    ["json", /\.(json|geojson)$/i, async (path, bytes) => (bytes <= 8 * TEXT_LIMIT ? asJSON(decode(await part(path, 8 * TEXT_LIMIT)), path) : asText(await text(path), path))],
];
const packedText = /\.(txt|log|json|xml|yaml|yml|sql|md)\.gz$/i;
const binary = /\.(pkl|pickle|joblib|skops|pt|pth|onnx|safetensors|npz?|h5|hdf5|parquet|arrow|feather|zip|gz|tar|bz2|xz|whl|so|bin|pdf|db)$/i;

const signs = { image: "file-earmark-image", audio: "file-earmark-music", video: "file-earmark-play", table: "table", lines: "table", model: "box-seam", html: "graph-up", markdown: "file-earmark-text", json: "file-earmark-code" };

apus.artifacts = {
    owner,
    version,
    address,
    size,
    sign: (path) => signs[kinds.find(([, pattern]) => pattern.test(path))?.[0]] ?? (languages[extension(path)] ? "file-earmark-code" : "file-earmark"),
    // What is shown of a file: an optional note, tools for the head, and the body.
    async preview(path, bytes) {
        const kind = kinds.find(([, pattern]) => pattern.test(path));
        if (kind) {
            const shown = await kind[2](path, bytes);
            if (bytes > TEXT_LIMIT && ["table", "lines", "html", "markdown"].includes(kind[0])) shown.note = [shown.note, `the first ${size(TEXT_LIMIT)} were read`].filter(Boolean).join("; ");
            return shown;
        }
        const source = binary.test(path) && !packedText.test(path) ? "\0" : await text(path);
        if (source.includes("\0")) return { body: [empty("No preview", "This kind of file can be downloaded only.")] };
        const shown = asText(source, path);
        if (bytes > TEXT_LIMIT) shown.note = `The first ${size(TEXT_LIMIT)} are shown.`;
        return shown;
    },
};
