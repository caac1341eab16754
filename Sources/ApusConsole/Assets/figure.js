// Draws a figure that a client made with Plotly, of which nothing is fetched from elsewhere and nothing acts.

const apus = window.apus;

// These draw maps out of files that other hosts serve.
const maps = new Set(["scattermapbox", "choroplethmapbox", "densitymapbox", "scattermap", "choroplethmap", "densitymap", "scattergeo", "choropleth"]);
// Kinds whose drawing compiles code, which the page's policy forbids, and what draws the same without.
const plain = { scattergl: "scatter", scatterpolargl: "scatterpolar", heatmapgl: "heatmap" };
// The same, without another way to draw them.
const compiled = new Set(["parcoords", "splom"]);
// What fetches, what calls functions by their names, and what would reach into objects.
const left = new Set(["images", "updatemenus", "sliders", "mapbox", "map", "geo", "_deprecated", "__proto__", "prototype", "constructor"]);
const DEPTH = 24;

// Words with the few tags that neither link anywhere nor need styles which the page's policy forbids.
const words = (text) => text.replace(/<[^>]*>?/g, (tag) => (/^<(br\s*\/?|\/?[bi])>$/i.test(tag) ? tag : ""));

const clean = (value, depth = 0) => {
    if (typeof value === "string") return words(value);
    if (value === null || typeof value !== "object") return value;
    if (depth > DEPTH) return null;
    if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
    const copy = {};
    for (const [name, item] of Object.entries(value)) {
        // A picture's source is a text; that of a Sankey diagram's links is a list.
        if (left.has(name) || ((name === "source" || name === "url") && typeof item === "string")) continue;
        copy[name] = clean(item, depth + 1);
    }
    return copy;
};

// For tests, and for drawing.
apus.cleanFigure = (figure) => {
    const data = clean(figure.data).filter((trace) => !maps.has(trace.type) && !compiled.has(trace.type)).map((trace) => (plain[trace.type] ? { ...trace, type: plain[trace.type] } : trace));
    return { data, layout: clean(figure.layout) };
};

apus.drawFigure = async (element, figure) => {
    const library = await apus.library(document.getElementById("artifacts").dataset.plotly, "Plotly");
    const { data, layout } = apus.cleanFigure(figure);
    const missing = [...new Set(figure.data.map((trace) => trace.type))].filter((type) => maps.has(type) || compiled.has(type));
    const reason = `Not drawn here: ${missing.join(", ")}. It would fetch maps from another host, or compile code, and pages may do neither.`;
    if (missing.length && !data.length) throw new Error(reason);
    const size = { autosize: true };
    delete layout.width;
    if (!(layout.height > 0)) delete layout.height;
    else layout.height = Math.min(layout.height, 4000);
    await library.newPlot(element, data, { ...layout, ...size }, {
        displaylogo: false, responsive: true, showSendToCloud: false, plotlyServerURL: "", topojsonURL: "about:blank/",
        modeBarButtonsToRemove: ["sendDataToCloud", "sendChartToCloud"],
    });
    if (missing.length) apus.toast(reason);
};
