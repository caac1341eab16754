// One chart: a metric's lines, drawn when it comes into view, at the resolution of the screen.

const charts = window.apus.charts;
const { color, dash, ids, make, names, plain, short } = charts;

// So many lines keep their ghost when they are smoothed.
const GHOSTS = 30;
// So many values stand beside the cursor.
const TOLD = 8;

// Dates are drawn as if the browser's time zone were UTC.
const toShown = (time) => time - new Date(time).getTimezoneOffset() * 60_000;
const fromShown = (time) => time + new Date(time).getTimezoneOffset() * 60_000;
const fade = (text, alpha) => {
    const number = Number.parseInt(text.slice(1), 16);
    return `rgba(${number >> 16},${(number >> 8) & 255},${number & 255},${alpha})`;
};

charts.axisTitle = (axis) =>
    ({ step: "Step", time: "Time", relative: "Seconds since the first point" })[axis] ?? axis.replace(/^metric:/, "");

charts.Chart = class {
    // `settings` are those of the page; `changed` hears of zooms, `moved` of the cursor's place on the axis.
    constructor(key, settings, { changed, moved, enlarged }) {
        Object.assign(this, { key, settings, changed, moved });
        this.origins = new Map();
        this.turn = 0;
        this.zoomed = null;
        this.plot = make("div", { className: "plot", tabIndex: 0, role: "application", ariaLabel: `Chart of ${key}` });
        this.plot.setAttribute("aria-roledescription", "chart");
        this.cursor = make("div", { className: "chart-cursor", hidden: true });
        this.tip = make("div", { className: "chart-tip", hidden: true });
        this.frame = make("div", { className: "chart-frame" }, this.plot, this.cursor, this.tip);
        this.told = make("p", { className: "sr-only", role: "status" });
        this.note = make("p", { className: "chart-note" });
        this.values = make("details", { className: "chart-values" }, make("summary", { textContent: "Values" }));
        this.values.addEventListener("toggle", () => this.tabulate());
        this.reset = charts.button("↺", "Show all of the chart (Escape)", () => this.zoom(null));
        this.reset.hidden = true;
        this.enlarge = charts.button("⤢", "Enlarge", () => enlarged(this));
        const buttons = [
            this.reset,
            charts.button("CSV", "Download what is drawn as CSV", () => this.saveCSV()),
            charts.button("SVG", "Download the picture as SVG", () => this.saveSVG()),
            this.enlarge,
        ];
        const head = make("header", {}, make("h3", { textContent: key, title: key }), ...buttons);
        this.element = make("section", { className: "chart card" }, head, this.frame, this.note, this.values, this.told);
        this.plot.addEventListener("keydown", (event) => this.press(event));
        this.plot.addEventListener("mousemove", (event) => this.hover(event));
        this.plot.addEventListener("mouseleave", () => this.moved(this, null));
        this.plot.addEventListener("blur", () => this.moved(this, null));
    }

    // MARK: Drawing

    // Asks for what is drawn, and draws it; `isUpdate` when nothing but the server's data may have changed.
    async draw(isUpdate = false) {
        const turn = ++this.turn;
        const { axis, isLogX } = this.settings;
        // What it takes from when the library is there: it is loaded once.
        let began = performance.now();
        try {
            const [library, histories] = await Promise.all([
                charts.plotly().then((found) => {
                    began = performance.now();
                    return found;
                }),
                charts.histories({
                    key: this.key, axis, isLogX, places: this.settings.places(), width: this.plot.clientWidth,
                    range: this.range(), origins: this.origins,
                }),
            ]);
            await charts.turn();
            if (turn !== this.turn || !this.element.isConnected) return;
            const state = histories.map(({ place, total, x, y }) => [place, total, x.at(-1), y.at(-1)].join(" ")).join("\n");
            if (isUpdate && this.state === state && this.plot.data) return;
            this.state = state;
            this.histories = histories;
            this.show(library);
        } catch (error) {
            if (turn === this.turn) this.note.textContent = error.message;
        }
        this.cost = performance.now() - began;
    }

    // What of the axis is asked for: nothing means all.
    range() {
        if (!this.zoomed?.x) return undefined;
        const ends = this.settings.isLogX && this.settings.axis !== "time" ? this.zoomed.x.map((end) => 10 ** end) : this.zoomed.x;
        return this.settings.axis === "time" ? ends.map(fromShown) : ends;
    }

    // Draws what was asked for last, by the settings as they are now.
    show(library = window.Plotly) {
        if (!library || !this.histories) return;
        const { settings } = this;
        const isTime = settings.axis === "time";
        this.lines = charts.lines(this.histories, settings).filter((line) => !settings.isHidden(line.id));
        const shownX = (x) => (isTime ? x.map(toShown) : x);
        const traces = [];
        const marks = { x: [], y: [], color: [], symbol: [] };
        const hasGhosts = settings.smoothing > 0 && this.lines.length <= GHOSTS && !settings.group;
        // The baseline lies above the others.
        for (const line of [...this.lines].sort((left, right) => Number(left.isBase ?? false) - Number(right.isBase ?? false))) {
            const x = shownX(line.x);
            const stroke = { color: color(line.place), width: line.isBase && this.lines.length > 1 ? 3 : 1.5, dash: dash(line.place) };
            const drawn = (y, more) => ({
                type: "scatter", mode: x.length > 1 ? "lines" : "markers", x, y: y.map((value) => (Number.isFinite(value) ? value : null)),
                name: plain(line.name), connectgaps: false, hoverinfo: "skip", line: stroke, marker: { color: stroke.color }, ...more,
            });
            if (line.low) {
                const edge = { mode: "lines", line: { width: 0 }, showlegend: false };
                traces.push(drawn(line.low, edge), drawn(line.high, { ...edge, fill: "tonexty", fillcolor: fade(stroke.color, 0.18) }));
            }
            if (hasGhosts) traces.push(drawn(line.raw, { line: { ...stroke, width: 1 }, opacity: 0.3, showlegend: false }));
            traces.push(drawn(line.y, {}));
            line.raw.forEach((value, place) => {
                if (Number.isFinite(value) || (Number.isNaN(value) && settings.isDifference)) return;
                marks.x.push(x[place]);
                marks.y.push(value === Infinity ? 0.98 : 0.02);
                marks.color.push(stroke.color);
                marks.symbol.push(Number.isNaN(value) ? "x" : value > 0 ? "triangle-up" : "triangle-down");
            });
        }
        this.marked = marks.x.length;
        if (this.marked) {
            // What has no place on the axis stands at its edge.
            traces.push({
                type: "scatter", mode: "markers", x: marks.x, y: marks.y, yaxis: "y2", hoverinfo: "skip", showlegend: false,
                marker: { color: marks.color, symbol: marks.symbol, size: 8 }, cliponaxis: false, name: "not a number",
            });
        }
        this.clip = this.clipped();
        // Metrics that were logged once are compared as bars.
        const isBars = this.lines.length > 0 && this.histories.every(({ x, total }) => x.length === 1 && total === 1) && !this.zoomed;
        if (isBars !== (this.isBars ?? isBars)) library.purge(this.plot);
        this.isBars = isBars;
        if (isBars) return this.finish(library, [this.bars()], this.barLayout());
        const layout = charts.layout({
            xaxis: {
                type: isTime ? "date" : settings.isLogX ? "log" : "linear", title: { text: plain(charts.axisTitle(settings.axis)), standoff: 6 },
                ...(this.zoomed?.x ? { range: this.zoomed.x } : { autorange: true }),
            },
            yaxis: {
                type: settings.isLog ? "log" : "linear",
                ...(this.zoomed?.y ? { range: this.zoomed.y } : this.clip ? { range: this.clip } : { autorange: true }),
            },
            yaxis2: { overlaying: "y", range: [0, 1], fixedrange: true, visible: false },
            hovermode: false,
            dragmode: "zoom",
        });
        this.finish(library, traces, layout);
    }

    finish(library, traces, layout) {
        const isNew = !this.plot.data;
        library.react(this.plot, traces, layout, charts.options);
        if (isNew) {
            this.plot.on("plotly_relayout", (change) => this.relayout(change));
            this.plot.on("plotly_doubleclick", () => this.zoom(null));
        }
        this.reset.hidden = !this.zoomed;
        this.describe();
        if (this.values.open) this.tabulate();
    }

    bars() {
        const { lines } = this;
        return {
            type: "bar", orientation: "h", x: lines.map(({ y }) => (Number.isFinite(y[0]) ? y[0] : null)), y: lines.map((_, place) => place), hoverinfo: "skip",
            name: plain(this.key), text: lines.map(({ y }) => short(y[0])), cliponaxis: false,
            textposition: lines.length > 16 ? "none" : lines[0].low ? "inside" : "auto", insidetextanchor: lines[0].low ? "start" : "end",
            marker: { color: lines.map(({ place }) => color(place)) }, width: Math.min(0.75, lines.length / 5),
            ...(lines[0].low && { error_x: { array: lines.map(({ y, high }) => high[0] - y[0]), arrayminus: lines.map(({ y, low }) => y[0] - low[0]), color: charts.token("--text"), thickness: 1.2 } }),
        };
    }

    barLayout() {
        const { lines } = this;
        const cut = (name) => plain(name.length > 24 ? `${name.slice(0, 23)}…` : name);
        return charts.layout({
            xaxis: { fixedrange: true },
            yaxis: {
                autorange: "reversed", fixedrange: true, tickvals: lines.length <= 16 ? lines.map((_, place) => place) : [],
                ticktext: lines.map(({ name, isBase }) => (isBase && lines.length > 1 ? `⚑ ${cut(name)}` : cut(name))),
            },
        });
    }

    // The range without outliers: from the first to the last hundredth of the points that are drawn, when the others
    // would at least double it.
    clipped() {
        if (!this.settings.isClipped) return undefined;
        const values = Float64Array.from(this.lines.flatMap(({ y }) => y).filter((y) => Number.isFinite(y) && (!this.settings.isLog || y > 0))).sort();
        if (values.length < 10) return undefined;
        const ends = [0.01, 0.99].map((part) => charts.quantile(values, part)).map((end) => (this.settings.isLog ? Math.log10(end) : end));
        const all = [values[0], values.at(-1)].map((end) => (this.settings.isLog ? Math.log10(end) : end));
        if (all[1] - all[0] <= 2 * (ends[1] - ends[0])) return undefined;
        const edge = (ends[1] - ends[0]) * 0.05 || 1e-9 + Math.abs(ends[0]) * 0.05;
        return [ends[0] - edge, ends[1] + edge];
    }

    // MARK: Words

    describe() {
        const drawn = this.histories.reduce((sum, { x }) => sum + x.length, 0);
        const all = this.histories.reduce((sum, { total }) => sum + total, 0);
        const notes = [];
        if (this.settings.group && this.settings.group.groups.length > 20) notes.push(`${this.settings.group.groups.length} groups.`);
        if (drawn < all && !this.settings.axis.startsWith("metric:")) {
            notes.push(`${drawn.toLocaleString("en")} of ${all.toLocaleString("en")} points: the lowest and highest of each part are kept. Zoom for more.`);
        } else if (drawn < all) notes.push("Points in between lie on lines between those that are kept.");
        if (this.marked) notes.push("✕ is NaN, ▲ and ▼ are infinite.");
        if (this.settings.isLog && this.lines.some(({ y }) => y.some((value) => value <= 0))) {
            notes.push("Values of 0 and below have no place on a logarithmic axis.");
        }
        if (this.clip && !this.zoomed?.y) {
            const [low, high] = this.clip.map((end) => (this.settings.isLog ? 10 ** end : end));
            const outside = this.lines.reduce((sum, { y }) => sum + y.filter((value) => value < low || value > high).length, 0);
            if (outside) notes.push(`${outside.toLocaleString("en")} outlying points are cut off.`);
        }
        this.note.textContent = notes.join(" ");
        const parts = this.summary().slice(0, 5).map(({ line, last, low, high }) =>
            `${line.name}: last ${short(last)}, between ${short(low)} and ${short(high)}`);
        const rest = this.lines.length - parts.length;
        this.plot.ariaLabel = `Chart of ${this.key} by ${charts.axisTitle(this.settings.axis)}. ${parts.join("; ")}${rest > 0 ? `; and ${rest} more` : ""}. Arrow keys read values, plus and minus zoom.`;
    }

    // The last, lowest and highest value of each line, as logged.
    summary() {
        return this.lines.map((line) => {
            let low = NaN;
            let high = NaN;
            let lowAt = 0;
            let highAt = 0;
            line.raw.forEach((value, place) => {
                if (Number.isNaN(value)) return;
                if (!(value >= low)) [low, lowAt] = [value, place];
                if (!(value <= high)) [high, highAt] = [value, place];
            });
            return { line, last: line.raw.at(-1), low, high, lowAt: line.x[lowAt], highAt: line.x[highAt] };
        });
    }

    positionText(x) {
        return this.settings.axis === "time" ? new Date(x).toLocaleString() : `${charts.axisTitle(this.settings.axis)} ${short(x)}`;
    }

    tabulate() {
        this.values.querySelector(".table-wrap")?.remove();
        if (!this.values.open || !this.lines) return;
        const base = this.lines.find(({ isBase }) => isBase);
        const hasBase = base && this.lines.length > 1;
        const heads = [this.settings.group ? "Group" : "Run", "Last", ...(hasBase ? ["To baseline"] : []), "Lowest", "at", "Highest", "at", "Points"];
        const where = (x) => (x === undefined ? "–" : this.settings.axis === "time" ? new Date(x).toLocaleString() : short(x));
        const rows = this.summary().map(({ line, last, low, high, lowAt, highAt }) => {
            const difference = hasBase ? last - base.raw.at(-1) : 0;
            const cells = [
                short(last), ...(hasBase ? [line === base ? "baseline" : `${difference > 0 ? "+" : ""}${short(difference)}`] : []),
                short(low), where(lowAt), short(high), where(highAt), line.total.toLocaleString("en"),
            ];
            const name = make("th", { scope: "row" }, charts.swatch(line.place), ` ${line.name}`);
            return make("tr", {}, name, ...cells.map((textContent) => make("td", { className: "number", textContent })));
        });
        const head = make("tr", {}, ...heads.map((textContent, place) => make("th", { scope: "col", textContent, className: place ? "number" : "" })));
        const table = make("table", { ariaLabel: `Values of ${this.key}${this.zoomed ? ", in the part that is shown" : ""}` }, make("thead", {}, head), make("tbody", {}, ...rows));
        this.values.append(make("div", { className: "table-wrap", tabIndex: 0, role: "region", ariaLabel: `Values of ${this.key}` }, table));
    }

    // MARK: Cursor

    hover(event) {
        const layout = this.plot._fullLayout;
        if (!layout || !this.lines?.length || this.isBars) return;
        const box = this.plot.getBoundingClientRect();
        const { xaxis, yaxis } = layout;
        const pixel = event.clientX - box.left - xaxis._offset;
        if (pixel < 0 || pixel > xaxis._length) return this.moved(this, null);
        const x = xaxis.p2c(pixel);
        const y = yaxis.p2c(event.clientY - box.top - yaxis._offset);
        this.moved(this, this.settings.axis === "time" ? fromShown(x) : x, y);
    }

    // The place in a line that is nearest to a value of the axis.
    nearest(line, x) {
        if (!line.isLoose) {
            const place = charts.placeOf(line.x, x);
            return place > 0 && (place === line.x.length || x - line.x[place - 1] < line.x[place] - x) ? place - 1 : place;
        }
        let best = 0;
        line.x.forEach((value, place) => {
            if (Math.abs(value - x) < Math.abs(line.x[best] - x)) best = place;
        });
        return best;
    }

    // Shows the cursor of any chart here; `y` is where it points to in this one.
    point(x, y, isTold = false) {
        const layout = this.plot._fullLayout;
        const isAway = x === null || !layout || !this.lines?.length || this.isBars;
        const pixel = isAway ? NaN : layout.xaxis.c2p(this.settings.axis === "time" ? toShown(x) : x);
        this.cursor.hidden = this.tip.hidden = !(pixel >= 0 && pixel <= layout.xaxis._length);
        this.cursorX = this.cursor.hidden ? undefined : x;
        if (this.cursor.hidden) return;
        const { xaxis, yaxis } = layout;
        Object.assign(this.cursor.style, {
            left: `${xaxis._offset + pixel}px`, top: `${yaxis._offset}px`, height: `${yaxis._length}px`,
        });
        // A line that does not reach the cursor has nothing to say there.
        const slack = Math.abs(xaxis.p2c(8) - xaxis.p2c(0));
        let found = this.lines.filter(({ x }) => x.length).map((line) => ({ line, place: this.nearest(line, x) }))
            .filter(({ line, place }) => this.settings.isLogX || Math.abs(line.x[place] - x) <= Math.max(slack, this.gap(line, place)));
        const isTop = (left, right) => right.line.y[right.place] - left.line.y[left.place];
        const isNear = (left, right) => Math.abs(left.line.y[left.place] - y) - Math.abs(right.line.y[right.place] - y);
        const count = found.length;
        if (y !== undefined && count > TOLD) found = found.sort(isNear).slice(0, TOLD);
        found = found.sort(isTop).slice(0, TOLD);
        const where = found.length ? found[0].line.x[found[0].place] : x;
        const rows = found.map(({ line, place }) => {
            const value = line.low ? `${short(line.y[place])} (${short(line.low[place])} – ${short(line.high[place])})` : short(line.y[place]);
            return make("li", {}, charts.swatch(line.place), make("span", { textContent: line.name || this.key }), make("b", { textContent: value }));
        });
        if (count > found.length) rows.push(make("li", { textContent: `and ${count - found.length} more` }));
        this.tip.replaceChildren(make("p", { textContent: this.positionText(where) }), make("ul", {}, ...rows));
        const isLeft = pixel > xaxis._length / 2;
        Object.assign(this.tip.style, {
            left: isLeft ? "" : `${xaxis._offset + pixel + 10}px`,
            right: isLeft ? `${this.plot.clientWidth - xaxis._offset - pixel + 10}px` : "",
        });
        if (isTold) {
            this.told.textContent = `${this.positionText(where)}: ${found.map(({ line, place }) => `${line.name} ${short(line.y[place])}`).join(", ")}`;
        }
    }

    gap(line, place) {
        const before = place > 0 ? line.x[place] - line.x[place - 1] : 0;
        const after = place + 1 < line.x.length ? line.x[place + 1] - line.x[place] : 0;
        return Math.max(Math.abs(before), Math.abs(after));
    }

    // MARK: Zoom

    relayout(change) {
        const end = (value) => (this.settings.axis === "time" ? new Date(`${String(value).replace(" ", "T")}Z`).getTime() : Number(value));
        const zoomed = { ...this.zoomed };
        for (const [name, read] of [["x", end], ["y", Number]]) {
            const range = change[`${name}axis.range`] ?? [change[`${name}axis.range[0]`], change[`${name}axis.range[1]`]];
            if (change[`${name}axis.autorange`]) delete zoomed[name];
            else if (range[0] !== undefined) zoomed[name] = range.map(read);
            else continue;
            this.isMoved = true;
        }
        if (!this.isMoved) return;
        this.isMoved = false;
        this.zoom(zoomed.x || zoomed.y ? zoomed : null);
    }

    // Shows a part; what is zoomed into is asked for again, finer.
    zoom(zoomed) {
        this.zoomed = zoomed;
        this.changed(this);
        clearTimeout(this.pause);
        this.pause = setTimeout(() => this.draw(), 100);
    }

    press(event) {
        const layout = this.plot._fullLayout;
        const line = this.lines?.find(({ x }) => x.length);
        if (!layout || !line || event.ctrlKey || event.metaKey || event.altKey) return;
        const last = line.x.length - 1;
        // Keys may come faster than frames.
        const from = this.aimed ?? this.cursorX;
        const here = from === undefined ? -1 : this.nearest(line, from);
        const step = event.shiftKey ? 10 : 1;
        const place = { ArrowRight: Math.min(last, here + step), ArrowLeft: here < 0 ? last : Math.max(0, here - step), Home: 0, End: last }[event.key];
        if (place !== undefined) this.moved(this, line.x[place], undefined, true);
        else if (event.key === "Escape" || event.key === "0") this.zoom(null);
        else if (["+", "=", "-"].includes(event.key)) {
            const [low, high] = layout.xaxis.range.map((end) => layout.xaxis.r2l(end));
            const cursor = this.cursorX === undefined ? undefined : this.settings.axis === "time" ? toShown(this.cursorX) : this.cursorX;
            const middle = cursor === undefined ? (low + high) / 2 : layout.xaxis.c2l(cursor);
            const half = ((high - low) / 2) * (event.key === "-" ? 2 : 0.5);
            this.zoom({ ...this.zoomed, x: [middle - half, middle + half] });
        } else return;
        event.preventDefault();
    }

    // MARK: Files

    saveCSV() {
        if (!this.lines) return;
        const isGrouped = Boolean(this.settings.group);
        const isTime = this.settings.axis === "time";
        const heads = [...(isGrouped ? ["group"] : ["run_id", "run"]), isTime ? "time" : charts.axisTitle(this.settings.axis), this.key];
        if (this.settings.smoothing > 0) heads.push("smoothed");
        if (isGrouped && this.lines.some(({ low }) => low)) heads.push("low", "high");
        const rows = this.lines.flatMap((line) => line.x.map((x, place) => [
            ...(isGrouped ? [line.id] : [ids[line.place], names[line.place]]),
            isTime ? new Date(x).toISOString() : x, line.raw[place], ...(this.settings.smoothing > 0 ? [line.y[place]] : []),
            ...(line.low ? [line.low[place], line.high[place]] : []),
        ]));
        charts.saveCSV(this.key, [heads, ...rows]);
    }

    async saveSVG() {
        try {
            await charts.saveSVG(this.key, this.plot);
        } catch (error) {
            window.apus.toast(error.message, true);
        }
    }

    // A chart out of sight holds no memory.
    drop() {
        this.turn++;
        this.histories = this.lines = undefined;
        this.point(null);
        if (this.plot.data && window.Plotly) {
            window.Plotly.purge(this.plot);
            this.plot.replaceChildren();
        }
    }
};
