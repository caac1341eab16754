// Parallel coordinates: an axis for each param or metric, a line for each run, ranges of axes that keep some runs.
//
// Drawn as SVG here: the library draws them by compiling programs, which the page's policy forbids.

const charts = window.apus.charts;
const { ids, make, names, shape, short } = charts;

const HEIGHT = 340;
const TOP = 44;
const BOTTOM = 30;

const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

// Where values stand on an axis, from 0 at the bottom to 1; undefined for none.
const scaleOf = (name, values) => {
    const numbers = charts.numbers(values);
    const finite = numbers?.filter((number) => Number.isFinite(number)) ?? [];
    if (finite.length) {
        const low = Math.min(...finite);
        const high = Math.max(...finite);
        // Learning rates and the like lie powers of ten apart.
        const isLog = low > 0 && high / low >= 50;
        const of = isLog ? Math.log10 : (number) => number;
        const part = (number) => (high === low ? 0.5 : (of(number) - of(low)) / (of(high) - of(low)));
        const back = (part) => (isLog ? 10 ** (of(low) + part * (of(high) - of(low))) : low + part * (high - low));
        const ticks = high === low ? [low] : [0, 0.25, 0.5, 0.75, 1].map(back);
        return {
            name, isNumeric: true, isLog, back, text: short, ticks: ticks.map((number) => [part(number), short(Number(number.toPrecision(3)))]),
            places: numbers.map((number) => (Number.isFinite(number) && number !== null ? part(number) : undefined)),
        };
    }
    const words = [...new Set(values.filter((value) => value !== null).map(String))].sort((left, right) => left.localeCompare(right, "en", { numeric: true }));
    const part = (word) => (words.length < 2 ? 0.5 : words.indexOf(word) / (words.length - 1));
    const step = Math.max(1, Math.ceil(words.length / 14));
    return {
        name, back: (part) => part, text: (part) => words[Math.round(Math.min(1, Math.max(0, part)) * (words.length - 1))] ?? "",
        ticks: words.filter((_, place) => place % step === 0).map((word) => [part(word), cut(word, 14)]),
        places: values.map((value) => (value === null ? undefined : part(String(value)))),
    };
};

// Draws into `host`. `columns` are [{name, title, values}], one value per run; `tint` gives each run's place on the scale
// of colours or nothing, `scale` tells what it means; `brushes` maps names to [low, high] in parts of the axis, and `changed` hears of new ones.
charts.parallel = (host, { columns, tint, scale, brushes, changed }) => {
    const width = Math.max(host.clientWidth, columns.length * 96);
    const inner = HEIGHT - TOP - BOTTOM;
    const scales = columns.map(({ name, values }) => scaleOf(name, values));
    const gap = columns.length > 1 ? (width - 120) / (columns.length - 1) : 0;
    const left = (place) => (columns.length > 1 ? 50 + place * gap : width / 2);
    const top = (part) => TOP + (1 - part) * inner;
    const [text, muted, line, accent, surface] = ["--text", "--muted", "--line-strong", "--accent", "--surface"].map(charts.token);
    const stops = charts.scale();
    const colorOf = (part) => {
        if (part === undefined) return muted;
        const [[, from], [, to]] = part < 0.5 ? stops : stops.slice(1);
        const share = part < 0.5 ? part * 2 : part * 2 - 1;
        const mix = [1, 3, 5].map((at) => Math.round(parseInt(from.slice(at, at + 2), 16) * (1 - share) + parseInt(to.slice(at, at + 2), 16) * share));
        return `rgb(${mix.join(",")})`;
    };

    const paths = ids.map((_, run) => {
        let path = "";
        scales.forEach((scale, place) => {
            const part = scale.places[run];
            // A run without a value passes below the axis.
            path += `${path ? "L" : "M"}${left(place).toFixed(1)},${(part === undefined ? HEIGHT - 10 : top(part)).toFixed(1)}`;
        });
        const element = shape("path", { d: path, fill: "none", stroke: colorOf(tint[run]), "stroke-width": 1.5, "stroke-opacity": 0.8, class: "parallel-line" });
        element.append(shape("title", {}, names[run]));
        element.addEventListener("pointerenter", () => tell(run, true));
        element.addEventListener("pointerleave", () => tell(run, false));
        return element;
    });

    const told = make("p", { className: "chart-note", role: "status" });
    const kept = () => ids.map((_, run) => run).filter((run) => scales.every((scale) => {
        const brush = brushes.get(scale.name);
        const part = scale.places[run];
        return !brush || (part !== undefined && part >= brush[0] - 1e-9 && part <= brush[1] + 1e-9);
    }));
    const link = make("a", { textContent: "Compare only these" });
    const clear = make("button", { type: "button", className: "button button-quiet", textContent: "Keep all" });
    clear.addEventListener("click", () => {
        brushes.clear();
        update();
    });
    const sum = make("span");
    const foot = make("p", { className: "parallel-foot" }, sum, " ", link, clear);
    const tell = (run, isOn) => {
        paths[run].setAttribute("stroke-width", isOn ? 4 : 1.5);
        told.textContent = isOn ? `${names[run]}: ${columns.map(({ title, values }) => `${title} ${typeof values[run] === "number" ? short(values[run]) : values[run] ?? "–"}`).join(", ")}` : "";
    };

    const axes = scales.map((scale, place) => {
        const x = left(place);
        const box = shape("rect", { x: x - 7, width: 14, fill: accent, "fill-opacity": 0.25, stroke: accent });
        const hit = shape("rect", { x: x - 18, y: TOP - 8, width: 36, height: inner + 16, fill: "transparent", tabindex: 0, role: "slider", class: "parallel-axis" });
        const label = shape("text", { x, y: 16, "text-anchor": "middle", fill: text, "font-size": 12, "font-weight": 600 }, cut(columns[place].title, Math.max(8, Math.floor(gap / 8) || 30)));
        label.append(shape("title", {}, columns[place].name));
        const group = shape("g", {}, label, shape("line", { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM, stroke: line }));
        if (scale.isLog) group.append(shape("text", { x, y: 30, "text-anchor": "middle", fill: muted, "font-size": 10 }, "logarithmic"));
        for (const [part, word] of scale.ticks) {
            group.append(shape("text", {
                x: x + 6, y: top(part) + 4, fill: text, "font-size": 11, "paint-order": "stroke", stroke: surface, "stroke-width": 3, "stroke-linejoin": "round",
            }, word));
        }
        if (scale.places.includes(undefined)) group.append(shape("text", { x: x + 6, y: HEIGHT - 6, fill: muted, "font-size": 11, "paint-order": "stroke", stroke: surface, "stroke-width": 3 }, "none"));
        group.append(box, hit);

        const partOf = (event) => {
            const bounds = hit.getBoundingClientRect();
            return Math.min(1, Math.max(0, 1 - (event.clientY - bounds.top - 8) / (bounds.height - 16)));
        };
        let start;
        hit.addEventListener("pointerdown", (event) => {
            start = partOf(event);
            hit.setPointerCapture(event.pointerId);
        });
        hit.addEventListener("pointermove", (event) => {
            if (start === undefined) return;
            const end = partOf(event);
            if (Math.abs(end - start) > 0.01) brushes.set(scale.name, [Math.min(start, end), Math.max(start, end)]);
            update(false);
        });
        hit.addEventListener("pointerup", (event) => {
            if (start === undefined) return;
            if (Math.abs(partOf(event) - start) <= 0.01) brushes.delete(scale.name);
            start = undefined;
            update();
        });
        // Arrows move what is kept, with Shift they move its upper end alone; Escape keeps all again.
        hit.addEventListener("keydown", (event) => {
            const step = { ArrowUp: 0.05, ArrowDown: -0.05 }[event.key];
            const [low, high] = brushes.get(scale.name) ?? [0, 1];
            if (event.key === "Escape") brushes.delete(scale.name);
            else if (step && event.shiftKey) brushes.set(scale.name, [low, Math.min(1, Math.max(low, high + step))]);
            else if (step && low === 0 && high === 1) brushes.set(scale.name, step > 0 ? [step, 1] : [0, 1 + step]);
            else if (step) {
                const moved = Math.min(1 - high, Math.max(-low, step));
                brushes.set(scale.name, [low + moved, high + moved]);
            } else return;
            event.preventDefault();
            update();
        });
        return { scale, box, hit, title: columns[place].title, group };
    });

    const update = (isDone = true) => {
        const runs = new Set(kept());
        paths.forEach((path, run) => {
            path.setAttribute("stroke", runs.has(run) ? colorOf(tint[run]) : line);
            path.setAttribute("stroke-opacity", runs.has(run) ? 0.85 : 0.12);
        });
        for (const { scale, box, hit, title } of axes) {
            const brush = brushes.get(scale.name);
            box.setAttribute("visibility", brush ? "visible" : "hidden");
            if (brush) {
                box.setAttribute("y", top(brush[1]) - 1);
                box.setAttribute("height", (brush[1] - brush[0]) * inner + 2);
            }
            const range = brush ? `${scale.text(scale.back(brush[0]))} to ${scale.text(scale.back(brush[1]))}` : "all";
            hit.setAttribute("aria-label", `Keep runs by ${title}`);
            hit.setAttribute("aria-valuemin", 0);
            hit.setAttribute("aria-valuemax", 1);
            hit.setAttribute("aria-valuenow", brush ? brush[1] : 1);
            hit.setAttribute("aria-valuetext", range);
        }
        const parts = axes.filter(({ scale }) => brushes.has(scale.name)).map(({ hit, title }) => `${title} ${hit.getAttribute("aria-valuetext")}`);
        sum.textContent = parts.length ? `${runs.size} of ${ids.length} runs: ${parts.join(", ")}.` : `${ids.length} runs. Drag along an axis to keep some.`;
        link.hidden = !parts.length || runs.size === 0;
        clear.hidden = !parts.length;
        link.href = `console/compare?${new URLSearchParams([...runs].map((run) => ["run", ids[run]]))}`;
        if (isDone) changed();
    };

    const svg = shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "group", "aria-label": `Parallel coordinates of ${ids.length} runs`, class: "parallel" });
    svg.append(...paths, ...axes.map(({ group }) => group));
    if (scale) foot.prepend(scale);
    host.replaceChildren(make("div", { className: "parallel-frame" }, svg), told, foot);
    update(false);
    return svg;
};
