// What charts and comparisons share: numbers from the server, the library that draws, colours, files to download.
//
// It is loaded before them and leaves its functions at `apus.charts`: addresses of scripts hold digests, so that none
// can name another.

const apus = window.apus;
const host = document.querySelector("#charts, #relations, #images");

const charts = (apus.charts = {
    host,
    ids: host?.dataset.runIds ? host.dataset.runIds.split("\n") : [],
    names: host?.dataset.runNames?.split("\n") ?? [],
});

// MARK: Elements

charts.make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
};
const { make } = charts;

charts.labelled = (text, element) => make("label", {}, ...(element.type === "checkbox" ? [element, ` ${text}`] : [`${text} `, element]));

// A choice; options are [value, text], in groups when a member is {label, options}.
charts.select = (options, value, change) => {
    const element = make("select");
    const option = ([of, text]) => new Option(text, of, false, of === value);
    for (const member of options) {
        if (Array.isArray(member)) element.append(option(member));
        else if (member.options.length) element.append(make("optgroup", { label: member.label }, ...member.options.map(option)));
    }
    element.addEventListener("change", () => change(element.value));
    return element;
};

charts.check = (isChecked, change) => {
    const element = make("input", { type: "checkbox", checked: isChecked });
    element.addEventListener("change", () => change(element.checked));
    return element;
};

charts.button = (sign, label, action) => {
    const element = make("button", { type: "button", className: "icon-button", textContent: sign, title: label, ariaLabel: label });
    element.addEventListener("click", action);
    return element;
};

// MARK: The address

charts.page = new URL(location.href);

// Keeps settings in the address: {name: [value, what is not written]}; a list is written as so many arguments.
charts.remember = (values) => {
    const url = new URL(location.href);
    for (const [name, [value, rest]] of Object.entries(values)) {
        url.searchParams.delete(name);
        for (const one of Array.isArray(value) ? value : value === rest ? [] : [value]) url.searchParams.append(name, one);
    }
    history.replaceState(null, "", url);
};

// MARK: Numbers

charts.short = apus.short;

// An exponential mean that a late start does not bend, as TensorBoard draws it.
charts.smooth = (values, weight) => {
    let last = 0;
    let weights = 0;
    return values.map((value) => {
        if (!Number.isFinite(value)) return value;
        last = last * weight + (1 - weight) * value;
        weights = weights * weight + (1 - weight);
        return last / weights;
    });
};

charts.quantile = (sorted, part) => {
    const place = (sorted.length - 1) * part;
    const low = Math.floor(place);
    return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
};

// The first place in an ascending list whose value is not below `value`.
charts.placeOf = (list, value) => {
    let low = 0;
    let high = list.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (list[middle] < value) low = middle + 1;
        else high = middle;
    }
    return low;
};

// The numbers that texts are, when all that are there are numbers; otherwise nothing.
charts.numbers = (values) => {
    const numbers = values.map((value) => (value === null || value === "" ? null : Number(value)));
    const isNumeric = values.every((value, place) => value === null || typeof value === "number" || (numbers[place] !== null && !Number.isNaN(numbers[place])));
    return isNumeric && numbers.some((number) => number !== null) ? numbers : undefined;
};

// What a line through points, ascending in x, has at `value`; NaN outside of them.
charts.at = (x, y, value) => {
    const place = charts.placeOf(x, value);
    if (x[place] === value) return y[place];
    if (place === 0 || place === x.length) return NaN;
    return y[place - 1] + ((y[place] - y[place - 1]) * (value - x[place - 1])) / (x[place] - x[place - 1]);
};

// MARK: From the server

const ask = (path, items, runs) => {
    const query = new URLSearchParams(items);
    for (const run of runs) query.append("run", run);
    return `console/data/${path}?${query}`;
};

// A length, a header of JSON, then for each series its positions and values as doubles, little-endian as browsers are.
const decode = (bytes) => {
    const size = new DataView(bytes).getUint32(0, true);
    const { series } = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, size)));
    let place = 4 + size;
    const doubles = (count) => {
        const list = Array.from(new Float64Array(bytes, place, count));
        place += count * 8;
        return list;
    };
    return series.map(({ run, total, count }) => ({ run, total, x: doubles(count), value: doubles(count) }));
};

// MLflow keeps infinities as the largest numbers there are.
const isLargest = (value) => Math.abs(value) >= Number.MAX_VALUE;
const restored = (value) => (value === null ? NaN : isLargest(value) ? Math.sign(value) * Infinity : value);

// Histories of one metric at the resolution of a chart, as [{run, total, x, value}]: `x` counts steps, or milliseconds
// since 1970 when `axis` is "time", since the run's first point when it is "relative", and ascends; `value` holds NaN and infinities where they were logged; `total` is how
// many points the range has. What is left out is neither the first, lowest, highest nor last of its column.
charts.load = async ({ key, runs, axis = "step", columns = 500, from, to }) => {
    if (!runs.length) return [];
    const items = { key, axis, columns: String(columns) };
    if (from !== undefined) Object.assign(items, { from: String(from), to: String(to) });
    const response = await fetch(new URL(ask("series", items, runs), document.baseURI));
    if (!response.ok) throw new Error((await response.json().catch(() => ({}))).message ?? `The server answered ${response.status}.`);
    return decode(await response.arrayBuffer());
};

// Keys of a kind ("metrics", "params" or "tags") that the runs have, as {keys, more}.
charts.keys = (kind, runs, items = {}) => apus.ask(ask("keys", { kind, ...items }, runs));

// Values of columns such as "params.lr" in the order of the runs, as a map; null where a run has none.
charts.values = async (columns, runs) => {
    const answer = await apus.ask(ask("values", { columns: columns.join("\n") }, runs));
    const places = new Map(answer.runs.map((run, place) => [run, place]));
    const numbers = { NaN, Infinity, "-Infinity": -Infinity };
    return new Map(answer.columns.map(({ name, values }) => [
        name,
        runs.map((run) => {
            const value = values[places.get(run)] ?? null;
            return name.startsWith("metrics.") && value !== null ? restored(numbers[value] ?? value) : value;
        }),
    ]));
};

// MARK: Drawing

let library;
charts.plotly = () =>
    (library ??= new Promise((resolve, reject) => {
        const script = make("script", { src: host.dataset.plotly });
        script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("Charts are not part of this build.")));
        script.onerror = () => reject(new Error("The charts could not be loaded."));
        document.head.append(script);
    }));

// Waits for a turn to draw. Charts that were waited for together are drawn one after the other, with time for a person's
// clicks in between.
let last = Promise.resolve();
charts.turn = () => (last = last.then(() => new Promise((resolve) => setTimeout(resolve))));

// Nothing of a chart leaves this server; what its buttons would do is in the page, where the keyboard reaches it.
charts.options = { displaylogo: false, responsive: true, displayModeBar: false, showSendToCloud: false, doubleClick: false };

charts.token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
charts.color = (place) => charts.token(`--series-${place % 10}`);
charts.dash = (place) => ["solid", "dash", "dot"][Math.floor(place / 10) % 3];
// From low to high, blue over grey to orange: apart with any kind of colour blindness, and 3:1 on the surface of the theme.
charts.scale = () => (apus.isDark() ? ["#5b9be6", "#aaa6a2", "#f08a24"] : ["#0f4c86", "#857f86", "#b85208"]).map((color, place) => [place / 2, color]);

charts.layout = (changes = {}) => {
    const grid = charts.token("--line");
    const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, automargin: true };
    return {
        margin: { l: 48, r: 12, t: 8, b: 36 },
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { color: charts.token("--text"), size: 11, family: "ui-sans-serif, system-ui, sans-serif" },
        showlegend: false,
        ...changes,
        xaxis: { ...axis, ...changes.xaxis },
        yaxis: { ...axis, ...changes.yaxis },
    };
};

const shape = (name, attributes = {}, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
};
charts.shape = shape;

// What the scale's colours mean. The library's own colour bar writes a style that the page's policy forbids.
charts.scaleBar = (title, values) => {
    const finite = values.filter((value) => Number.isFinite(value));
    const [low, high] = [Math.min(...finite), Math.max(...finite)].map(charts.short);
    const stops = charts.scale().map(([offset, color]) => shape("stop", { offset, "stop-color": color }));
    return make(
        "span", { className: "scale-bar" }, `${title}: ${low} `,
        shape("svg", { width: 96, height: 10, "aria-hidden": true }, shape("defs", {}, shape("linearGradient", { id: "tint" }, ...stops)), shape("rect", { width: 96, height: 10, rx: 2, fill: "url(#tint)" })),
        ` ${high}`,
    );
};

// Calls back when colours change.
charts.onTheme = (change) => {
    addEventListener("apus-theme", change);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", change);
};

// A line's mark in lists beside charts.
charts.swatch = (place) => {
    const element = make("span", { className: `swatch swatch-${charts.dash(place)}`, ariaHidden: "true" });
    element.style.setProperty("--swatch", `var(--series-${place % 10})`);
    return element;
};

// MARK: Files

charts.save = (name, type, text) => {
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

const fileName = (name, end) => `${name.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 100) || "chart"}.${end}`;

// A spreadsheet must not take a client's text for a formula.
const cell = (value) => {
    let text = String(value ?? "");
    if (/^[=+@\t\r]/.test(text) || (text.startsWith("-") && Number.isNaN(Number(text)))) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

charts.saveCSV = (name, rows) =>
    charts.save(fileName(name, "csv"), "text/csv", rows.map((row) => `${row.map(cell).join(",")}\r\n`).join(""));

// The chart with its title and legend, on the background that it has in the page.
charts.saveSVG = async (name, plot, traces = plot.data) => {
    const library = await charts.plotly();
    const isNamed = traces.filter((trace) => trace.showlegend !== false).length;
    const figure = {
        data: traces,
        layout: {
            ...plot.layout,
            title: { text: plain(name), font: { size: 14 } },
            margin: { ...plot.layout.margin, t: 48 },
            paper_bgcolor: charts.token("--surface"),
            showlegend: isNamed > 1 && isNamed <= 40,
            legend: { orientation: "v" },
        },
    };
    const picture = await library.toImage(figure, { format: "svg", width: 900, height: 500 });
    charts.save(fileName(name, "svg"), "image/svg+xml", decodeURIComponent(picture.slice(picture.indexOf(",") + 1)));
};

// Plotly takes some tags in texts for markup, which may bring styles that the page's policy forbids.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
charts.plain = plain;
