// How params and metrics of many runs hang together: parallel coordinates, scatter, contour, box, bars, importance.

const apus = window.apus;
const charts = window.apus.charts;
const { check, color, host, ids, labelled, layout, make, names, numbers, page, plain, select, short } = charts;

const KINDS = [["parallel", "Parallel coordinates"], ["scatter", "Scatter"], ["contour", "Contour"], ["box", "Box"], ["bar", "Bars"], ["importance", "Importance"]];
// Words that get a colour or a box of their own.
const WORDS = 20;
const LEAST_RUNS = 5;

const query = page.searchParams;
const state = {
    plot: KINDS.some(([kind]) => kind === query.get("plot")) ? query.get("plot") : "parallel",
    x: query.get("x"), y: query.get("y"), z: query.get("z"),
    stat: query.get("stat") ?? "latest",
    isLogX: query.get("logx") === "1", isLogY: query.get("logy") === "1",
    axes: query.getAll("axes"),
    brushes: new Map(query.getAll("brush").map((text) => {
        const [low, high, ...name] = text.split("~");
        return [name.join("~"), [Number(low), Number(high)]];
    }).filter(([name, ends]) => name && ends.every((end) => end >= 0 && end <= 1))),
};

let params = [];
let metrics = [];
let numeric = [];
// Metrics in which the runs differ, as far as they were looked at.
let lively = [];

// What is drawn along x and y and in colour: what was chosen, else what makes sense of the kind of chart.
const chosen = (key) => state[key] ?? {
    x: numeric[0] ?? params[0] ?? metrics[0],
    y: state.plot === "contour" ? numeric[1] ?? lively[1] ?? lively[0] : lively[0] ?? params[0],
    z: state.plot === "scatter" ? "" : lively[0] ?? "",
}[key];
const axes = () => (state.axes.length ? state.axes : [...params.slice(0, 8), ...lively.slice(0, 3)]);

const title = (name) => name.replace(/^(params|metrics)\./, "");

const remember = () => charts.remember({
    plot: [state.plot, "parallel"], x: [state.x ?? "", ""], y: [state.y ?? "", ""], z: [state.z ?? "", ""], stat: [state.stat, "latest"],
    logx: [state.isLogX ? "1" : "", ""], logy: [state.isLogY ? "1" : "", ""], axes: [state.axes, []],
    brush: [[...state.brushes].map(([name, [low, high]]) => `${low.toFixed(4)}~${high.toFixed(4)}~${name}`), []],
});

// MARK: Values

const known = new Map();
const valuesOf = async (columns) => {
    const wanted = [...new Set(columns.filter((name) => name && !known.has(name)))];
    if (wanted.length) for (const [name, values] of await charts.values(wanted, ids)) known.set(name, values);
    return columns.map((name) => known.get(name) ?? ids.map(() => null));
};

// The place of each value between the lowest and highest; undefined for what is no number.
const parts = (values) => {
    const found = numbers(values) ?? values.map(() => null);
    const finite = found.filter((number) => Number.isFinite(number));
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    return found.map((number) => (!Number.isFinite(number) || number === null ? undefined : high === low ? 0.5 : (number - low) / (high - low)));
};

// MARK: Views, each draws into `view` and returns a note

const view = make("div");
const note = make("p", { className: "chart-note" });
let plot;

const scaleBar = (name, values) => (numbers(values)?.some((number) => Number.isFinite(number)) ? charts.scaleBar(title(name), numbers(values)) : undefined);

const plotInto = async (traces, changes, { height, scale } = {}) => {
    const library = await charts.plotly();
    plot ??= make("div", { className: "plot relation-plot" });
    if (plot.parentElement !== view || view.children.length !== (scale ? 2 : 1)) view.replaceChildren(plot);
    if (scale) {
        view.querySelector(".scale-bar")?.remove();
        view.prepend(scale);
    }
    plot.style.height = height ? `${height}px` : "";
    plot.role = "img";
    plot.ariaLabel = `${KINDS.find(([kind]) => kind === state.plot)[1]} of ${ids.length} runs`;
    library.purge(plot);
    await library.newPlot(plot, traces, layout({ hovermode: "closest", hoverlabel: { bgcolor: charts.token("--raised"), font: { color: charts.token("--text") } }, ...changes }), charts.options);
    plot.on("plotly_click", ({ points: [point] }) => {
        const id = point?.customdata;
        if (ids.includes(id)) open(new URL(`console/runs/${id}`, document.baseURI), "_blank", "noopener");
    });
};

const axisOf = (name, values, isLog) => {
    const found = numbers(values);
    return { data: found ?? values.map((value) => (value === null ? null : plain(String(value)))), axis: { title: { text: plain(title(name)) }, type: found ? (isLog ? "log" : "linear") : "category" } };
};

const views = {
    parallel: async () => {
        const tintName = chosen("z");
        const all = await valuesOf([...axes(), tintName]);
        if (axes().length < 2) return empty("Choose at least two axes.");
        const frame = make("div");
        view.replaceChildren(frame);
        charts.parallel(frame, {
            columns: axes().map((name, place) => ({ name, title: title(name), values: all[place] })),
            tint: tintName ? parts(all.at(-1)) : ids.map(() => undefined), scale: tintName && scaleBar(tintName, all.at(-1)),
            brushes: state.brushes, changed: remember,
        });
        return "Metrics are latest values. Arrow keys move what an axis keeps, with Shift its upper end, Escape keeps all.";
    },

    scatter: async () => {
        const [xName, yName, zName] = ["x", "y", "z"].map(chosen);
        const [xs, ys, zs] = await valuesOf([xName, yName, zName]);
        const x = axisOf(xName, xs, state.isLogX);
        const y = axisOf(yName, ys, state.isLogY);
        const shown = ids.map((_, run) => run).filter((run) => x.data[run] !== null && y.data[run] !== null);
        const zNumbers = zName && numbers(zs);
        const text = (run) => plain([names[run], `${title(xName)}: ${xs[run]}`, `${title(yName)}: ${ys[run]}`, zName ? `${title(zName)}: ${zs[run]}` : ""].filter(Boolean).join("\n")).replaceAll("\n", "<br>");
        const points = (runs, more) => ({
            type: "scatter", mode: "markers", x: runs.map((run) => x.data[run]), y: runs.map((run) => y.data[run]), hoverinfo: "text",
            text: runs.map(text), customdata: runs.map((run) => ids[run]), ...more,
        });
        let traces;
        if (zName && !zNumbers) {
            const words = [...new Set(zs.map((value) => value ?? "(none)"))].sort((left, right) => left.localeCompare(right, "en", { numeric: true }));
            traces = words.map((word, place) => points(shown.filter((run) => (zs[run] ?? "(none)") === word), {
                name: plain(word.slice(0, 40)), marker: { size: 9, color: color(place), symbol: ["circle", "square", "diamond"][Math.floor(place / 10) % 3] },
            }));
        } else {
            const tint = zNumbers ? { color: shown.map((run) => zNumbers[run]), colorscale: charts.scale(), showscale: false } : { color: color(0) };
            traces = [points(shown, { marker: { size: 9, ...tint } })];
        }
        await plotInto(traces, { xaxis: x.axis, yaxis: y.axis, showlegend: traces.length > 1 && traces.length <= 30 }, { scale: zNumbers && scaleBar(zName, zs) });
        return left(shown.length, "A click opens the run.");
    },

    contour: async () => {
        const [xName, yName, zName] = ["x", "y", "z"].map(chosen);
        const [xs, ys, zs] = (await valuesOf([xName, yName, zName])).map((values) => numbers(values));
        if (!xs || !ys || !zs) return empty("Contours need three columns of numbers.");
        const shown = ids.map((_, run) => run).filter((run) => [xs, ys, zs].every((values) => Number.isFinite(values[run]) && values[run] !== null));
        if (new Set(shown.map((run) => xs[run])).size < 2 || new Set(shown.map((run) => ys[run])).size < 2) return empty("Contours need runs with different values on both axes.");
        const [x, y, z] = [xs, ys, zs].map((values) => shown.map((run) => values[run]));
        const zTitle = title(zName);
        await plotInto([
            { type: "contour", x, y, z, connectgaps: true, colorscale: charts.scale(), line: { width: 0.5 }, hoverinfo: "skip", showscale: false },
            {
                type: "scatter", mode: "markers", x, y, hoverinfo: "text", customdata: shown.map((run) => ids[run]), marker: { size: 7, color: charts.token("--text"), line: { color: charts.token("--surface"), width: 1 } },
                text: shown.map((run) => plain(`${names[run]}\n${title(xName)}: ${xs[run]}\n${title(yName)}: ${ys[run]}\n${zTitle}: ${zs[run]}`).replaceAll("\n", "<br>")),
            },
        ], { xaxis: axisOf(xName, xs, state.isLogX).axis, yaxis: axisOf(yName, ys, state.isLogY).axis }, { scale: scaleBar(zName, zs) });
        return left(shown.length, "Dots are runs; between them the colours are interpolated, not measured.");
    },

    box: async () => {
        const [xs, ys] = await valuesOf([chosen("x"), chosen("y")]);
        const y = numbers(ys);
        if (!y) return empty("The Y axis needs numbers.");
        const groups = Map.groupBy(ids.map((_, run) => run).filter((run) => Number.isFinite(y[run]) && y[run] !== null), (run) => String(xs[run] ?? "(none)"));
        const kept = new Set([...groups].sort(([, left], [, right]) => right.length - left.length).slice(0, WORDS).map(([word]) => word));
        const words = [...kept].sort((left, right) => left.localeCompare(right, "en", { numeric: true }));
        await plotInto(words.map((word, place) => {
            const runs = groups.get(word);
            return {
                type: "box", y: runs.map((run) => y[run]), name: plain(word.slice(0, 30)), boxpoints: "all", jitter: 0.4, pointpos: 0, marker: { color: color(place), size: 5, opacity: 0.8 }, line: { width: 1.5 },
                hoveron: "points", hoverinfo: "text", text: runs.map((run) => plain(`${names[run]}\n${title(chosen("y"))}: ${ys[run]}`).replaceAll("\n", "<br>")), customdata: runs.map((run) => ids[run]),
            };
        }), { xaxis: { title: { text: plain(title(chosen("x"))) }, type: "category" }, yaxis: axisOf(chosen("y"), y, state.isLogY).axis });
        const rest = groups.size - words.length;
        return `${rest > 0 ? `The ${WORDS} most frequent of ${groups.size} values. ` : ""}Boxes reach from the first to the third quartile, with a line at the median.`;
    },

    bar: async () => {
        let values;
        if (state.stat === "latest") [values] = await valuesOf([chosen("y")]);
        else {
            // One column holds a history's lowest and highest point.
            const histories = await charts.load({ key: title(chosen("y")), runs: ids, columns: 1 });
            const found = new Map(histories.map(({ run, value }) => [run, value.filter((number) => !Number.isNaN(number))]));
            values = ids.map((id) => (found.get(id)?.length ? Math[state.stat](...found.get(id)) : null));
        }
        const runs = ids.map((_, run) => run).filter((run) => Number.isFinite(values[run]) && values[run] !== null).sort((left, right) => values[right] - values[left]);
        if (!runs.length) return empty("No run has a number here.");
        const cut = (name) => plain(name.length > 32 ? `${name.slice(0, 31)}…` : name);
        await plotInto([{
            type: "bar", orientation: "h", x: runs.map((run) => values[run]), y: runs.map((_, place) => place), marker: { color: runs.map((run) => color(run)) },
            text: runs.map((run) => short(values[run])), textposition: "auto", hoverinfo: "text", hovertext: runs.map((run) => plain(`${names[run]}: ${values[run]}`)), customdata: runs.map((run) => ids[run]),
        }], {
            xaxis: { title: { text: plain(title(chosen("y"))) }, type: state.isLogX ? "log" : "linear", side: "top" }, margin: { l: 48, r: 12, t: 44, b: 8 }, bargap: 0.2,
            yaxis: { autorange: "reversed", tickvals: runs.map((_, place) => place), ticktext: runs.map((run) => cut(names[run])) },
        }, { height: Math.max(260, runs.length * 22 + 60) });
        return left(runs.length, "A click opens the run.");
    },

    importance: async () => {
        const target = chosen("y");
        const [goal, ...columns] = await valuesOf([target, ...params]);
        const found = params.map((name, place) => explained(name, columns[place], goal)).sort((left, right) => (right.share ?? -1) - (left.share ?? -1));
        const measured = found.filter(({ share }) => share !== undefined);
        if (!measured.length) {
            return empty(ids.length < LEAST_RUNS ? `This takes at least ${LEAST_RUNS} runs.` : `No param can be measured: this takes at least ${LEAST_RUNS} runs with ${title(target)}, and values that several of them share.`);
        }
        const percent = (share) => `${Math.round(share * 100)} %`;
        const rows = measured.map(({ name, share, way, runs }) => make("tr", {},
            make("th", { scope: "row", textContent: title(name) }),
            make("td", { className: "importance" }, make("progress", { max: 1, value: share, ariaLabel: `Share explained by ${title(name)}` }), make("span", { textContent: percent(share) })),
            make("td", { textContent: way }),
            make("td", { className: "number", textContent: runs }),
        ));
        const heads = ["Param", `Share of ${title(target)} explained`, "How", "Runs"].map((textContent, place) => make("th", { scope: "col", textContent, className: place === 3 ? "number" : "" }));
        view.replaceChildren(make("div", { className: "table-wrap", tabIndex: 0, role: "region", ariaLabel: "Importance" }, make("table", { ariaLabel: `Importance of params for ${title(target)}` }, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows))));
        const rest = found.filter(({ share }) => share === undefined).map(({ name }) => title(name));
        return `How much of the differences between runs in the rank of the latest ${title(target)} a param explains alone, less what chance would give. Params that change together share their credit, and what only their combination does is not seen; a share is no proof of a cause.`
            + (rest.length ? ` Not measured, since too few runs share a value: ${rest.slice(0, 20).join(", ")}${rest.length > 20 ? "…" : ""}.` : "");
    },
};

const left = (count, text) => (count < ids.length ? `${ids.length - count} of ${ids.length} runs have no value here. ${text}` : text);

const empty = (text) => {
    view.replaceChildren(make("p", { className: "empty", textContent: text }));
    return "";
};

// MARK: Importance

// Ranks from 0 on; equal values share the mean of theirs.
const ranks = (values) => {
    const order = values.map((_, place) => place).sort((left, right) => values[left] - values[right]);
    const found = [];
    for (let begin = 0; begin < order.length;) {
        let end = begin;
        while (end < order.length && values[order[end]] === values[order[begin]]) end++;
        for (let place = begin; place < end; place++) found[order[place]] = (begin + end - 1) / 2;
        begin = end;
    }
    return found;
};

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const spread = (list) => list.reduce((sum, value) => sum + (value - mean(list)) ** 2, 0);

// The share of the variance of the goal's ranks that a param explains, adjusted for the freedom that it has: of numbers
// the square of Spearman's correlation; of words, and of numbers that few values take, the share between groups of equal
// values. The larger of both counts.
const explained = (name, values, goal) => {
    const runs = ids.map((_, run) => run).filter((run) => values[run] !== null && values[run] !== undefined && Number.isFinite(goal[run]) && goal[run] !== null);
    const count = runs.length;
    const kept = runs.map((run) => values[run]);
    const groups = Map.groupBy(runs.map((_, place) => place), (place) => String(kept[place]));
    const aim = ranks(runs.map((run) => goal[run]));
    const whole = spread(aim);
    const result = { name, runs: count };
    if (count < LEAST_RUNS || groups.size < 2 || whole === 0) return result;
    const adjusted = (share, freedom) => Math.max(0, 1 - ((1 - share) * (count - 1)) / (count - 1 - freedom));
    const words = numbers(kept);
    if (words && words.every((number) => Number.isFinite(number)) && count > 2) {
        const own = ranks(words);
        const middle = mean(own);
        const goalMiddle = mean(aim);
        const rho = own.reduce((sum, rank, place) => sum + (rank - middle) * (aim[place] - goalMiddle), 0) / Math.sqrt(spread(own) * whole);
        Object.assign(result, { share: adjusted(rho ** 2, 1), way: `${rho >= 0 ? "rises" : "falls"} with it (ρ = ${rho.toFixed(2)})` });
    }
    // Groups of one run each would explain everything.
    if (groups.size <= count / 2) {
        const within = [...groups.values()].reduce((sum, places) => sum + spread(places.map((place) => aim[place])), 0);
        const share = adjusted(1 - within / whole, groups.size - 1);
        if (result.share === undefined || share > result.share + 0.05) Object.assign(result, { share, way: `by value, ${groups.size} values` });
    }
    return result;
};

// MARK: Controls

const controls = make("div", { className: "toolbar", role: "group", ariaLabel: "What is drawn" });
const kinds = make("div", { className: "segments", role: "group", ariaLabel: "Kind of chart" });

const columnSelect = (text, key, lists, isOptional = false) => {
    const options = lists.map(([label, list]) => ({ label, options: list.map((name) => [name, title(name)]) }));
    const element = select([...(isOptional ? [["", "Nothing"]] : []), ...options], chosen(key), (value) => {
        state[key] = value;
        draw();
    });
    // A column of an address stays, even when it is not offered.
    if (element.value !== chosen(key)) element.append(new Option(title(chosen(key)), chosen(key), false, true));
    return labelled(text, element);
};

const axesBox = () => {
    const now = axes();
    const boxes = [...params.slice(0, 60), ...metrics.slice(0, 60)].map((name) => labelled(title(name), check(now.includes(name), (isOn) => {
        const all = [...params, ...metrics];
        state.axes = (isOn ? [...now, name] : now.filter((other) => other !== name)).sort((left, right) => all.indexOf(left) - all.indexOf(right));
        draw();
    })));
    const wasOpen = controls.querySelector("details")?.open ?? false;
    return make("details", { className: "axes", open: wasOpen }, make("summary", { textContent: `Axes (${now.length})` }), make("div", {}, ...boxes));
};

const arrange = () => {
    kinds.replaceChildren(...KINDS.map(([kind, text]) => {
        const button = make("button", { type: "button", className: "button", textContent: text, ariaPressed: String(kind === state.plot) });
        button.addEventListener("click", () => {
            state.plot = kind;
            draw();
            kinds.querySelector("[aria-pressed=true]").focus();
        });
        return button;
    }));
    const both = [["Params that differ", params], ["Metrics", metrics]];
    const own = [["Metrics", metrics]];
    const log = (text, key) => labelled(text, check(state[key], (value) => {
        state[key] = value;
        draw();
    }));
    const parts = {
        parallel: () => [columnSelect("Colour", "z", both), axesBox()],
        scatter: () => [columnSelect("X", "x", both), columnSelect("Y", "y", both), columnSelect("Colour", "z", both, true), log("Log X", "isLogX"), log("Log Y", "isLogY")],
        contour: () => [columnSelect("X", "x", both), columnSelect("Y", "y", both), columnSelect("Colour", "z", both), log("Log X", "isLogX"), log("Log Y", "isLogY")],
        box: () => [columnSelect("X", "x", both), columnSelect("Y", "y", own), log("Log Y", "isLogY")],
        bar: () => [columnSelect("Metric", "y", own), labelled("Value", select([["latest", "Latest"], ["min", "Lowest"], ["max", "Highest"]], state.stat, (value) => {
            state.stat = value;
            draw();
        })), log("Log X", "isLogX")],
        importance: () => [columnSelect("Metric", "y", own)],
    };
    const focused = [...controls.querySelectorAll("select, input, summary")].indexOf(document.activeElement);
    controls.replaceChildren(...parts[state.plot](), files);
    if (focused >= 0) controls.querySelectorAll("select, input, summary")[focused]?.focus();
};

// MARK: Files

const saveTable = async () => {
    const columns = [...params, ...metrics].slice(0, 200);
    const all = await valuesOf(columns);
    charts.saveCSV("runs", [["run_id", "run", ...columns], ...ids.map((id, run) => [id, names[run], ...all.map((values) => values[run])])]);
};
const savePicture = async () => {
    const svg = view.querySelector("svg.parallel");
    if (svg) charts.save("parallel.svg", "image/svg+xml", new XMLSerializer().serializeToString(svg));
    else if (plot?.parentElement === view) await charts.saveSVG(state.plot, plot);
    else apus.toast("This is a table; download it as CSV.");
};
const files = make("div", { className: "push actions" });
for (const [text, action] of [["CSV", saveTable], ["SVG", savePicture]]) {
    const button = make("button", { type: "button", className: "button", textContent: text, title: `Download as ${text}` });
    button.addEventListener("click", () => action().catch((error) => apus.toast(error.message, true)));
    files.append(button);
}

// MARK: Begin

let turn = 0;
const draw = async () => {
    const now = ++turn;
    remember();
    arrange();
    view.ariaBusy = "true";
    try {
        const text = await views[state.plot]();
        if (now === turn) note.textContent = text;
    } catch (error) {
        empty(error.message);
        note.textContent = "";
    }
    view.ariaBusy = "false";
};

const begin = async () => {
    const [ofParams, ofMetrics] = await Promise.all([
        charts.keys("params", ids, { differs: "1", limit: "100" }), charts.keys("metrics", ids, { limit: "500" }),
    ]);
    params = ofParams.keys.map((key) => `params.${key}`);
    metrics = ofMetrics.keys.map((key) => `metrics.${key}`);
    const section = make("section", { className: "card relation" });
    host.append(section);
    if (!metrics.length && !params.length) {
        section.append(make("p", { className: "empty", textContent: "These runs have no metrics, and no params in which they differ." }));
        return;
    }
    const some = metrics.slice(0, 12);
    await valuesOf([...params, ...some]);
    numeric = params.filter((name) => numbers(known.get(name)));
    lively = some.filter((name) => new Set(known.get(name)).size > 1);
    if (!lively.length) lively = some;
    section.append(kinds, controls, view, note);
    if (ofParams.more || ofMetrics.more) section.append(make("p", { className: "chart-note", textContent: "The first 100 params that differ and 500 metrics can be chosen here." }));
    await draw();
};

if (host && ids.length) {
    begin().catch((error) => apus.toast(error.message, true));
    charts.onTheme(() => draw());
    let pause;
    addEventListener("resize", () => {
        clearTimeout(pause);
        if (state.plot === "parallel") pause = setTimeout(draw, 200);
    });
}
