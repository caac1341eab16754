// What an endpoint does, as it does it: requests, latency and errors of its versions, drawn anew every few seconds.

const apus = window.apus;
const { make } = apus;
const host = document.getElementById("traffic");
const WINDOWS = [["5m", "5 minutes", 2_000], ["1h", "1 hour", 15_000]];

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
// A deployment keeps its colour for as long as it lives, on this page and on others.
const place = (series) => (series.deployment + 9) % 10;
const short = (value) => (value === null || value === undefined ? "–" : apus.short(Number(value.toPrecision(3))));
// Plotly takes some tags in texts for markup.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const charts = [
    { title: "Requests per second", unit: "/s", of: (data, series) => series.requests.map((count) => count / (data.step / 1000)), gap: 0 },
    { title: "Latency, p50 and p99", unit: " ms", of: (_, series) => series.p99, second: (_, series) => series.p50 },
    { title: "Errors", unit: " %", of: (_, series) => series.requests.map((count, at) => (count ? (100 * series.errors[at]) / count : null)), range: [0, null] },
];

let chosen = new URL(location.href).searchParams.get("window") === "1h" ? 1 : 0;
let data;
let turn = 0;
let timer;

// MARK: Elements

const segments = make("div", { className: "segments", role: "group", ariaLabel: "Time that is shown" });
const buttons = WINDOWS.map(([key, title], at) => {
    const button = make("button", { type: "button", className: "button button-quiet", textContent: title, ariaPressed: String(at === chosen) });
    button.addEventListener("click", () => {
        chosen = at;
        buttons.forEach((other, place) => (other.ariaPressed = String(place === at)));
        const address = new URL(location.href);
        if (at) address.searchParams.set("window", key);
        else address.searchParams.delete("window");
        history.replaceState(null, "", address);
        load();
    });
    return button;
});
segments.append(...buttons);
const note = make("span", { className: "muted", role: "status" });
const bar = make("div", { className: "toolbar" }, make("h2", { textContent: "Traffic" }), note, make("span", { className: "push" }, segments));
const grid = make("div", { className: "charts traffic-charts" });
for (const chart of charts) {
    chart.plot = make("div", { className: "plot", role: "img", ariaLabel: `${chart.title}, loading` });
    chart.skeleton = make("div", { className: "plot skeleton" });
    chart.frame = make("div", { className: "chart-frame" }, chart.skeleton);
    chart.list = make("ul", { className: "chart-last" });
    chart.element = make("section", { className: "chart card" }, make("header", {}, make("h3", { textContent: chart.title })), chart.frame, chart.list);
    grid.append(chart.element);
}
grid.ariaBusy = "true";
const empty = make(
    "div", { className: "empty" },
    make("p", { className: "empty-title", textContent: "No requests" }),
    make("p", { className: "muted" }),
);
const failure = make("div", { className: "empty empty-error", role: "alert", hidden: true }, make("p", { className: "empty-title" }));
host.replaceChildren(bar, failure, grid);

// MARK: Drawing

const layout = (changes) => {
    const grid = token("--line");
    const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, automargin: true, fixedrange: true };
    return {
        margin: { l: 44, r: 12, t: 8, b: 32 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
        font: { color: token("--text"), size: 11, family: "ui-sans-serif, system-ui, sans-serif" },
        hovermode: "closest", hoverlabel: { bgcolor: token("--raised"), font: { color: token("--text") } }, dragmode: false,
        xaxis: { ...axis, type: "date", nticks: 5, tickangle: 0, tickformat: "%H:%M", ...changes.xaxis },
        yaxis: { ...axis, rangemode: "tozero", ...changes.yaxis },
    };
};

// Dates are drawn as if the browser's time zone were UTC.
const shown = (time) => time - new Date(time).getTimezoneOffset() * 60_000;

const label = (series) => `${series.model} ${series.version}${series.is_shadow ? ", shadow" : ""}`;

const draw = (library) => {
    const times = data.series[0]?.requests.map((_, at) => shown(data.start + at * data.step)) ?? [];
    for (const chart of charts) {
        const traces = [];
        const lines = data.series.map((series) => ({ series, y: chart.of(data, series) }));
        for (const { series, y } of lines) {
            const color = token(`--series-${place(series)}`);
            const trace = (y, more) => ({
                type: "scatter", mode: y.filter((value) => value !== null).length > 1 ? "lines" : "markers", x: times, y, connectgaps: chart.gap === undefined,
                line: { color, width: 1.75, dash: series.is_shadow ? "dot" : "solid" }, marker: { color, size: 5 },
                hovertemplate: `${plain(label(series))}<br>%{y:.4~g}${chart.unit}<extra></extra>`, ...more,
            });
            if (chart.second) traces.push(trace(chart.second(data, series), { line: { color, width: 1, dash: series.is_shadow ? "dot" : "solid" }, opacity: 0.55 }));
            traces.push(trace(y));
        }
        chart.list.replaceChildren(...lines.map(({ series, y }) => {
            const swatch = make("span", { className: `swatch${series.is_shadow ? " swatch-dot" : ""}`, ariaHidden: "true" });
            swatch.style.setProperty("--swatch", `var(--series-${place(series)})`);
            const values = y.filter((value) => value !== null);
            const second = chart.second?.(data, series).filter((value) => value !== null).at(-1);
            const last = chart.second ? `${short(second)} / ${short(values.at(-1))}` : short(values.at(-1));
            return make("li", {}, swatch, make("span", { className: "clip", textContent: label(series), title: label(series) }), make("b", { textContent: values.length ? `${last}${chart.unit}` : "–" }));
        }));
        const last = lines.map(({ series, y }) => `${label(series)} ${short(y.findLast((value) => value !== null))}${chart.unit}`);
        chart.plot.ariaLabel = `${chart.title}, ${WINDOWS[chosen][1]}; last: ${last.join(", ") || "none"}`;
        if (chart.plot.parentElement !== chart.frame) chart.frame.replaceChildren(chart.plot);
        const highest = Math.max(0, ...lines.flatMap(({ y }) => y.filter((value) => value !== null)));
        const range = chart.range ? { yaxis: { range: [0, Math.max(1, Math.min(100, highest * 1.1))] } } : highest === 0 ? { yaxis: { range: [0, 1] } } : {};
        library.react(chart.plot, traces, layout({ xaxis: { range: [times[0], times.at(-1)] }, ...range }), { displayModeBar: false, responsive: true, showSendToCloud: false, doubleClick: false });
    }
};

const show = async (mine) => {
    const isEmpty = !data.series.length;
    grid.ariaBusy = "false";
    if (isEmpty) {
        empty.lastElementChild.textContent = `Nothing was asked in the last ${WINDOWS[chosen][1]}. Charts begin with the first request.`;
        if (!empty.isConnected) grid.replaceWith(empty);
        return;
    }
    const library = await apus.library(host.dataset.plotly, "Plotly");
    if (mine !== turn) return;
    if (empty.isConnected) empty.replaceWith(grid);
    draw(library);
};

const load = async () => {
    clearTimeout(timer);
    const mine = ++turn;
    const [key, , every] = WINDOWS[chosen];
    try {
        if (!document.hidden) {
            const found = await apus.ask(`${host.dataset.traffic}?window=${key}`);
            if (mine !== turn) return;
            data = found;
            await show(mine);
            failure.hidden = true;
            note.textContent = "";
        }
    } catch (error) {
        if (mine !== turn) return;
        // What was drawn stays; the page's head says when the server is away.
        if (!data) {
            failure.hidden = false;
            grid.hidden = true;
            failure.firstElementChild.textContent = error instanceof TypeError ? "The server did not answer." : error.message;
        } else note.textContent = "not up to date";
    }
    if (mine === turn) {
        if (data) grid.hidden = false;
        timer = setTimeout(load, every);
    }
};

const repaint = () => data?.series.length && window.Plotly && draw(window.Plotly);
addEventListener("apus-theme", repaint);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
document.addEventListener("visibilitychange", () => !document.hidden && load());
load();
