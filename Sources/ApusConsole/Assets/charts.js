// Curves of metrics: one chart for each metric, drawn when it comes into view, at the resolution of the screen.

const host = document.getElementById("charts");
const apus = window.apus;
const ids = host?.dataset.runIds ? host.dataset.runIds.split("\n") : [];
const names = host?.dataset.runNames.split("\n") ?? [];
const keys = [...(document.getElementById("chart-keys")?.content.querySelectorAll("li") ?? [])].map((item) => item.textContent);
const page = new URL(location.href);
const AT_ONCE = 24;

const settings = {
    axis: page.searchParams.get("axis") ?? "step",
    isLog: page.searchParams.get("log") === "1",
    smoothing: Number(page.searchParams.get("smoothing") ?? 0),
    find: page.searchParams.get("key") ?? "",
};

// MARK: The library

let library;
const plotly = () =>
    (library ??= new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = host.dataset.plotly;
        script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("Charts are not part of this build.")));
        script.onerror = () => reject(new Error("The charts could not be loaded."));
        document.head.append(script);
    }));

// Nothing of a chart leaves this server.
const options = { displaylogo: false, responsive: true, displayModeBar: "hover", showSendToCloud: false, modeBarButtonsToRemove: ["sendChartToCloud", "lasso2d", "select2d"] };

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const color = (place) => token(`--series-${place % 10}`) || "#0072b2";

// MARK: Numbers

// An exponential mean that a late start does not bend, as TensorBoard draws it.
const smooth = (values, weight) => {
    let last = 0;
    let weights = 0;
    return values.map((value) => {
        if (value === null || !Number.isFinite(value)) return value;
        last = last * weight + (1 - weight) * value;
        weights = weights * weight + (1 - weight);
        return last / weights;
    });
};

const positions = (series) => {
    if (settings.axis === "step") return series.x;
    return Array.from(series.x, settings.axis === "time" ? (time) => new Date(time) : (time) => time / 1000);
};

// Packed curves: a length, JSON that tells of each, then its positions and its values.
const load = async (items) => {
    const response = await fetch(new URL(`console/data/series?${items}`, document.baseURI));
    if (!response.ok) throw new Error((await response.json().catch(() => undefined))?.message ?? `The server answered ${response.status}.`);
    const bytes = await response.arrayBuffer();
    const length = new DataView(bytes).getUint32(0, true);
    const { series } = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
    let place = 4 + length;
    const numbers = (count) => {
        const found = new Float64Array(bytes, place, count);
        place += count * 8;
        return found;
    };
    return series.map(({ run, total, count }) => ({ run, total, x: numbers(count), value: Array.from(numbers(count)) }));
};

const titles = { step: "Step", time: "Time", relative: "Seconds since the first point" };

// MARK: One chart

class Chart {
    constructor(key) {
        this.key = key;
        this.element = document.createElement("section");
        this.element.className = "chart card";
        const title = document.createElement("h3");
        title.textContent = key;
        title.title = key;
        this.plot = document.createElement("div");
        this.plot.className = "plot";
        this.plot.role = "img";
        this.plot.ariaLabel = `Chart of ${key}`;
        this.note = document.createElement("p");
        this.note.className = "chart-note muted";
        this.element.append(title, this.plot, this.note);
        this.range = null;
        this.turn = 0;
    }

    async draw() {
        const turn = ++this.turn;
        const items = new URLSearchParams({
            key: this.key,
            axis: settings.axis,
            columns: String(Math.max(100, Math.round(this.plot.clientWidth || 500))),
        });
        for (const id of ids) items.append("run", id);
        if (this.range) {
            const unit = settings.axis === "relative" ? 1000 : 1;
            items.set("from", String(this.range[0] * unit));
            items.set("to", String(this.range[1] * unit));
        }
        try {
            const [library, answer] = await Promise.all([plotly(), load(items)]);
            if (turn !== this.turn || !this.element.isConnected) return;
            this.show(library, answer);
        } catch (error) {
            this.note.textContent = error.message;
        }
    }

    show(library, found) {
        const traces = [];
        let drawn = 0;
        let all = 0;
        for (const series of found) {
            const place = ids.indexOf(series.run);
            const x = positions(series);
            drawn += x.length;
            all += series.total;
            const line = { color: color(place), width: 1.6, dash: ["solid", "dash", "dot"][Math.floor(place / 10) % 3] };
            const common = { x, name: names[place] ?? series.run, type: "scatter", mode: x.length > 1 ? "lines" : "markers", connectgaps: false };
            if (settings.smoothing > 0) {
                traces.push({ ...common, y: series.value, line: { ...line, width: 1 }, opacity: 0.25, hoverinfo: "skip", showlegend: false });
                traces.push({ ...common, y: smooth(series.value, settings.smoothing), line });
            } else {
                traces.push({ ...common, y: series.value, line });
            }
        }
        const text = token("--text") || (apus.isDark() ? "#e8e8e8" : "#1a1a1a");
        const grid = token("--line") || "#8884";
        const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, automargin: true };
        const hasLegend = ids.length > 1 && ids.length <= 12;
        const layout = {
            margin: { l: 48, r: 12, t: 8, b: 36 },
            paper_bgcolor: "rgba(0,0,0,0)",
            plot_bgcolor: "rgba(0,0,0,0)",
            font: { color: text, size: 11, family: "ui-sans-serif, system-ui, sans-serif" },
            xaxis: { ...axis, title: hasLegend ? undefined : { text: titles[settings.axis] } },
            yaxis: { ...axis, type: settings.isLog ? "log" : "linear" },
            showlegend: hasLegend,
            legend: { orientation: "h", y: -0.25 },
            hovermode: ids.length > 1 ? "x unified" : "closest",
            uirevision: `${settings.axis}-${settings.isLog}`,
        };
        const isNew = !this.plot.data;
        library.react(this.plot, traces, layout, options);
        this.note.textContent = drawn < all
            ? `${drawn.toLocaleString("en")} of ${all.toLocaleString("en")} points: the lowest and highest of each pixel are kept. Zoom for more.`
            : "";
        if (isNew) this.plot.on("plotly_relayout", (change) => this.zoom(change));
    }

    // What was zoomed into is asked for again, finer.
    zoom(change) {
        if (change["xaxis.autorange"]) this.range = null;
        else if (change["xaxis.range[0]"] !== undefined) {
            this.range = [change["xaxis.range[0]"], change["xaxis.range[1]"]].map((end) => (settings.axis === "time" ? new Date(end).getTime() : Number(end)));
        } else return;
        clearTimeout(this.pause);
        this.pause = setTimeout(() => this.draw(), 150);
    }

    // A chart out of sight holds no memory.
    drop() {
        this.turn++;
        if (this.plot.data && window.Plotly) {
            window.Plotly.purge(this.plot);
            this.plot.replaceChildren();
        }
    }
}

// MARK: All charts

const grid = document.createElement("div");
grid.className = "charts";
const more = document.createElement("button");
more.type = "button";
more.className = "button";
let charts = new Map();
let found = [];
let shown = AT_ONCE;
const visible = new Set();

const watcher = new IntersectionObserver(
    (entries) => {
        for (const entry of entries) {
            const chart = charts.get(entry.target);
            if (!chart) continue;
            if (entry.isIntersecting && !visible.has(chart)) {
                visible.add(chart);
                chart.draw();
            } else if (!entry.isIntersecting && visible.delete(chart)) {
                chart.drop();
            }
        }
    },
    { rootMargin: "300px" },
);

const arrange = () => {
    const matches = apus.matcher(settings.find);
    if (!matches) return;
    found = keys.filter((key) => matches(key));
    // The one that was asked for by its whole name comes first.
    found.sort((left, right) => Number(right === settings.find) - Number(left === settings.find));
    watcher.disconnect();
    for (const chart of visible) chart.drop();
    visible.clear();
    charts = new Map(found.slice(0, shown).map((key) => {
        const chart = new Chart(key);
        return [chart.element, chart];
    }));
    grid.replaceChildren(...charts.keys());
    for (const element of charts.keys()) watcher.observe(element);
    more.hidden = found.length <= shown;
    more.textContent = `Show more of ${found.length.toLocaleString("en")} charts`;
};
more.addEventListener("click", () => {
    shown += AT_ONCE;
    arrange();
});

const remember = () => {
    const url = new URL(location.href);
    const values = { axis: [settings.axis, "step"], log: [settings.isLog ? "1" : "", ""], smoothing: [String(settings.smoothing), "0"], key: [settings.find, ""] };
    for (const [name, [value, rest]] of Object.entries(values)) {
        if (value === rest) url.searchParams.delete(name);
        else url.searchParams.set(name, value);
    }
    history.replaceState(null, "", url);
};

const redraw = () => {
    remember();
    for (const chart of visible) {
        chart.range = null;
        chart.draw();
    }
};

const labelled = (text, element) => {
    const label = document.createElement("label");
    label.append(`${text} `, element);
    return label;
};

const toolbar = () => {
    const bar = document.createElement("div");
    bar.className = "toolbar";
    const find = document.createElement("input");
    find.type = "search";
    find.className = "grow";
    find.value = settings.find;
    find.placeholder = "Find metrics, text or /regular expression/";
    find.setAttribute("aria-label", "Find metrics");
    find.addEventListener("input", () => {
        settings.find = find.value;
        shown = AT_ONCE;
        remember();
        arrange();
    });
    const axis = document.createElement("select");
    for (const [value, text] of [["step", "Step"], ["relative", "Relative time"], ["time", "Wall time"]]) {
        axis.append(new Option(text, value, false, value === settings.axis));
    }
    axis.addEventListener("change", () => {
        settings.axis = axis.value;
        redraw();
    });
    const log = document.createElement("input");
    log.type = "checkbox";
    log.checked = settings.isLog;
    log.addEventListener("change", () => {
        settings.isLog = log.checked;
        redraw();
    });
    const smoothing = document.createElement("input");
    Object.assign(smoothing, { type: "range", min: "0", max: "0.99", step: "0.01", value: String(settings.smoothing) });
    smoothing.addEventListener("input", () => {
        settings.smoothing = Number(smoothing.value);
        redraw();
    });
    bar.append(find, labelled("X", axis), labelled("Log Y", log), labelled("Smoothing", smoothing));
    return bar;
};

// MARK: Parallel coordinates

const parallel = async (section) => {
    const rows = [...document.querySelectorAll(".diff-changed")].map((row) => ({
        title: row.dataset.name,
        values: [...row.querySelectorAll("td")].map((cell) => cell.textContent),
    }));
    const metrics = [...document.querySelectorAll('table[aria-label="Metrics"] tr[data-name]')].slice(0, 6).map((row) => ({
        title: row.dataset.name,
        values: [...row.querySelectorAll("td")].map((cell) => cell.querySelector("[title]")?.title ?? ""),
    }));
    const dimensions = [...rows.slice(0, 10), ...metrics].map(({ title, values }) => {
        const numbers = values.map(Number);
        if (values.every((value, place) => value !== "" && Number.isFinite(numbers[place]))) return { label: title, values: numbers };
        const words = [...new Set(values)];
        return { label: title, values: values.map((value) => words.indexOf(value)), tickvals: words.map((_, place) => place), ticktext: words };
    });
    if (dimensions.length < 2) return section.remove();
    const library = await plotly();
    const last = dimensions.at(-1);
    library.react(
        section.querySelector(".plot"),
        [{ type: "parcoords", dimensions, line: { color: last.values, colorscale: "Cividis", showscale: false } }],
        { margin: { l: 60, r: 60, t: 40, b: 20 }, paper_bgcolor: "rgba(0,0,0,0)", font: { color: token("--text"), size: 11 } },
        options,
    );
};

// MARK: Begin

if (host && keys.length) {
    host.append(toolbar(), grid, more);
    arrange();
    if (host.dataset.parallel !== undefined && ids.length > 1) {
        const section = document.createElement("section");
        section.className = "card chart";
        const title = document.createElement("h3");
        title.textContent = "Parallel coordinates: drag along an axis to keep only some runs";
        const plot = document.createElement("div");
        plot.className = "plot";
        section.append(title, plot);
        host.append(section);
        parallel(section).catch(() => {
            plot.className = "empty";
            plot.textContent = "This browser cannot draw parallel coordinates.";
        });
    }
    addEventListener("apus-theme", redraw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    let pause;
    apus.onChange((changes) => {
        const isOurs = changes.some((change) => change === "*" || ids.some((id) => change === `run.logged run/${id}`));
        if (!isOurs || pause) return;
        pause = setTimeout(() => {
            pause = undefined;
            for (const chart of visible) if (!chart.range) chart.draw();
        }, 300);
    });
}
