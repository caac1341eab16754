// Curves of metrics: one chart for each, of one run or of many, with what they share: settings, legend, cursor.

const apus = window.apus;
const charts = window.apus.charts;
const { button, check, Chart, host, ids, labelled, make, names, page, select } = charts;

const AT_ONCE = 24;
const query = page.searchParams;

const settings = {
    find: query.get("key") ?? "",
    axis: query.get("axis") ?? "step",
    isLogX: query.get("logx") === "1",
    isLog: query.get("log") === "1",
    smoothing: Math.min(0.99, Math.max(0, Number(query.get("smoothing")) || 0)),
    isClipped: query.get("clip") === "1",
    isDifference: query.get("y") === "difference",
    band: query.get("band") ?? "std",
    groupName: query.get("group") ?? "",
    group: null,
    base: Math.max(0, ids.indexOf(query.get("base") ?? "")),
    hidden: new Set((query.get("hide") ?? "").split(",").filter((place) => place in ids)),
    hiddenGroups: new Set(query.getAll("hidegroup")),
    large: query.get("large") ?? "",
    zooms: new Map(query.getAll("zoom").map(readZoom).filter(Boolean)),
    isHidden: (id) => (settings.group ? settings.hiddenGroups.has(id) : settings.hidden.has(id)),
    // The runs that charts need.
    places: () => ids.map((_, place) => place).filter((place) =>
        !settings.hidden.has(String(place)) || (settings.isDifference && !settings.group && place === settings.base)),
};

// A zoom in the address: four ends, of which two may be empty, and the metric.
function readZoom(text) {
    const [x0, x1, y0, y1, ...key] = text.split("~");
    const pair = (low, high) => (low && high && Number.isFinite(Number(low)) && Number.isFinite(Number(high)) ? [Number(low), Number(high)] : undefined);
    const zoomed = { x: pair(x0, x1), y: pair(y0, y1) };
    return key.length && (zoomed.x || zoomed.y) ? [key.join("~"), zoomed] : undefined;
}
const writeZoom = ([key, { x = ["", ""], y = ["", ""] }]) => [...x, ...y, key].join("~");

const remember = () => {
    charts.remember({
        key: [settings.find, ""],
        axis: [settings.axis, "step"],
        logx: [settings.isLogX ? "1" : "", ""],
        log: [settings.isLog ? "1" : "", ""],
        smoothing: [String(settings.smoothing), "0"],
        clip: [settings.isClipped ? "1" : "", ""],
        y: [settings.isDifference ? "difference" : "", ""],
        group: [settings.groupName, ""],
        band: [settings.band, "std"],
        base: [settings.base ? ids[settings.base] : "", ""],
        hide: [[...settings.hidden].join(","), ""],
        hidegroup: [[...settings.hiddenGroups], []],
        large: [settings.large, ""],
        zoom: [[...settings.zooms].slice(0, 12).map(writeZoom), []],
    });
    // The other ways to compare begin with the same baseline.
    for (const link of document.querySelectorAll(".tabs a")) {
        const address = new URL(link.href);
        if (settings.base) address.searchParams.set("base", ids[settings.base]);
        else address.searchParams.delete("base");
        link.href = address;
    }
};

// MARK: Keys

// Metrics of the machine have a page of their own, beside that of the others.
const part = host?.dataset.part;
const isWanted = (key) => !part || key.startsWith("system/") === (part === "system");
let keys = [...(document.getElementById("chart-keys")?.content.querySelectorAll("li") ?? [])].map((item) => item.textContent);
// Whether the server has more keys than one list of them holds.
let isPartial = host?.dataset.moreKeys !== undefined;

// MARK: The charts

const grid = make("div", { className: "charts" });
const more = make("button", { type: "button", className: "button" });
const count = make("output", { className: "muted" });
const shownCharts = new Map();
const visible = new Set();
let found = [];
let shown = AT_ONCE;

const watcher = new IntersectionObserver(
    (entries) => {
        for (const entry of entries) {
            const chart = [...shownCharts.values()].find(({ element }) => element === entry.target);
            if (!chart) continue;
            if (entry.isIntersecting && !visible.has(chart)) {
                visible.add(chart);
                chart.draw();
            } else if (!entry.isIntersecting && visible.delete(chart)) chart.drop();
        }
    },
    { rootMargin: "300px" },
);

const hooks = {
    changed: (chart) => {
        if (chart.zoomed) settings.zooms.set(chart.key, chart.zoomed);
        else settings.zooms.delete(chart.key);
        remember();
    },
    // Wherever the cursor is in one chart, it is at the same place in all.
    moved: (chart, x, y, isTold) => {
        chart.aimed = x ?? undefined;
        cancelAnimationFrame(hooks.frame);
        hooks.frame = requestAnimationFrame(() => {
            for (const other of visible) other.point(x, other === chart ? y : undefined, isTold && other === chart);
        });
    },
    enlarged: (chart) => {
        settings.large = settings.large === chart.key ? "" : chart.key;
        remember();
        enlarge();
        if (settings.large) chart.element.scrollIntoView({ block: "nearest" });
    },
};

const enlarge = () => {
    for (const chart of shownCharts.values()) {
        const isLarge = chart.key === settings.large;
        if (isLarge === chart.element.classList.contains("chart-large")) continue;
        chart.element.classList.toggle("chart-large", isLarge);
        chart.enlarge.ariaPressed = String(isLarge);
        if (visible.has(chart)) chart.draw();
    }
};

const arrange = () => {
    const matches = apus.matcher(settings.find);
    if (!matches) return;
    found = keys.filter((key) => matches(key));
    // The one that was asked for by its whole name comes first; what the machine did, last.
    const rank = (key) => (key === settings.find ? 0 : key.startsWith("system/") ? 2 : 1);
    found.sort((left, right) => rank(left) - rank(right));
    const wanted = found.slice(0, shown);
    for (const [key, chart] of shownCharts) {
        if (wanted.includes(key)) continue;
        watcher.unobserve(chart.element);
        if (visible.delete(chart)) chart.drop();
        shownCharts.delete(key);
    }
    for (const key of wanted) {
        if (shownCharts.has(key)) continue;
        const chart = new Chart(key, settings, hooks);
        chart.zoomed = settings.zooms.get(key) ?? null;
        shownCharts.set(key, chart);
        watcher.observe(chart.element);
    }
    const elements = wanted.map((key) => shownCharts.get(key).element);
    if (!elements.length) elements.push(make("p", { className: "empty", textContent: "No metric has a name like this." }));
    // What stands where it belongs is left alone: moving it would end its focus.
    if (elements.length !== grid.children.length || elements.some((element, place) => grid.children[place] !== element)) {
        grid.replaceChildren(...elements);
    }
    more.hidden = found.length <= shown;
    more.textContent = `Show ${Math.min(AT_ONCE, found.length - shown)} more of ${found.length.toLocaleString("en")} charts`;
    count.textContent = `${found.length.toLocaleString("en")}${isPartial ? "+" : ""} ${found.length === 1 ? "metric" : "metrics"}`;
    enlarge();
};
more.addEventListener("click", () => {
    shown += AT_ONCE;
    arrange();
});

// Asks for what is shown anew, after a change of what is asked for.
const redraw = (isNewAxis = false) => {
    if (isNewAxis) {
        settings.zooms.clear();
        for (const chart of shownCharts.values()) {
            chart.zoomed = null;
            chart.origins.clear();
        }
    }
    remember();
    for (const chart of visible) chart.draw();
};
// Draws what is there already, after a change of how it is drawn.
const reshow = (isNewScale = false) => {
    if (isNewScale) {
        for (const chart of shownCharts.values()) if (chart.zoomed) chart.zoomed = chart.zoomed.x ? { x: chart.zoomed.x } : null;
        for (const zoomed of settings.zooms.values()) delete zoomed.y;
        for (const [key, { x }] of settings.zooms) if (!x) settings.zooms.delete(key);
    }
    remember();
    for (const chart of visible) chart.show();
};

// MARK: Settings

const findBox = () => {
    const find = make("input", {
        type: "search", className: "grow", value: settings.find, placeholder: "Find metrics, text or /regular expression/", ariaLabel: "Find metrics",
    });
    let pause;
    find.addEventListener("input", () => {
        settings.find = find.value;
        find.setAttribute("aria-invalid", String(apus.matcher(find.value) === null));
        shown = AT_ONCE;
        remember();
        clearTimeout(pause);
        pause = setTimeout(async () => {
            // Beyond what one list holds the server looks; it knows no regular expressions.
            if (isPartial && !find.value.startsWith("/")) keys = (await charts.keys("metrics", ids, { text: find.value })).keys.filter(isWanted);
            arrange();
        }, isPartial ? 200 : 50);
    });
    return find;
};

const axisBox = () => {
    const other = make("input", { type: "text", ariaLabel: "Metric of the X axis", placeholder: "Metric", value: settings.axis.replace(/^metric:|^.*$/s, "") });
    other.value = /^metric:(.*)$/s.exec(settings.axis)?.[1] ?? "";
    other.hidden = !settings.axis.startsWith("metric:");
    other.setAttribute("list", "metric-list");
    const list = make("datalist", { id: "metric-list" });
    // So many are offered; any can be written.
    const offer = () => {
        const matches = apus.matcher(other.value) ?? (() => true);
        list.replaceChildren(...keys.filter(matches).slice(0, 100).map((key) => new Option(key, key)));
    };
    other.addEventListener("focus", offer);
    other.addEventListener("input", offer);
    other.addEventListener("change", () => {
        settings.axis = other.value ? `metric:${other.value}` : "step";
        redraw(true);
    });
    const kinds = [["step", "Step"], ["relative", "Relative time"], ["time", "Wall time"], ["metric", "Metric…"]];
    const axis = select(kinds, settings.axis.startsWith("metric:") ? "metric" : settings.axis, (value) => {
        other.hidden = value !== "metric";
        if (value === "metric") return other.focus();
        other.value = "";
        settings.axis = value;
        redraw(true);
    });
    return [labelled("X", axis), other, list];
};

const smoothingBox = () => {
    const range = make("input", { type: "range", min: "0", max: "0.99", step: "0.01", value: String(settings.smoothing) });
    const number = make("span", { textContent: settings.smoothing || "off" });
    range.addEventListener("input", () => {
        settings.smoothing = Number(range.value);
        number.textContent = settings.smoothing || "off";
        reshow();
    });
    return make("label", { className: "range" }, make("span", {}, "Smoothing ", number), range);
};

const groupBox = async () => {
    const limit = { differs: "1", limit: "200" };
    const [params, tags] = await Promise.all([charts.keys("params", ids, limit), charts.keys("tags", ids, limit)]);
    const options = (kind, { keys }) => keys.map((key) => [`${kind}.${key}`, key]);
    const band = labelled("Band", select([["std", "± standard deviation"], ["range", "Lowest to highest"], ["none", "None"]], settings.band, (value) => {
        settings.band = value;
        reshow();
    }));
    band.hidden = !settings.groupName;
    const choice = select(
        [["", "Nothing"], { label: "Params that differ", options: options("params", params) }, { label: "Tags that differ", options: options("tags", tags) }],
        settings.groupName,
        async (value) => {
            settings.groupName = value;
            settings.hiddenGroups.clear();
            band.hidden = !value;
            settings.group = value ? await charts.groups(value) : null;
            legend();
            reshow(true);
        },
    );
    // A group of an address stays, even when it is not offered.
    if (choice.value !== settings.groupName) choice.append(new Option(settings.groupName, settings.groupName, false, true));
    return [labelled("Group by", choice), band];
};

const toolbar = async () => {
    const bar = make("div", { className: "toolbar", role: "group", ariaLabel: "Settings of the charts" });
    bar.append(findBox(), count, ...axisBox());
    if (ids.length > 1) {
        bar.append(labelled("Y", select([["", "Value"], ["difference", "Difference to baseline"]], settings.isDifference ? "difference" : "", (value) => {
            settings.isDifference = value === "difference";
            for (const chart of shownCharts.values()) chart.zoomed = null;
            settings.zooms.clear();
            redraw();
        })));
    }
    bar.append(
        smoothingBox(),
        labelled("Log X", check(settings.isLogX, (value) => {
            settings.isLogX = value;
            redraw(true);
        })),
        labelled("Log Y", check(settings.isLog, (value) => {
            settings.isLog = value;
            reshow(true);
        })),
        labelled("Cut off outliers", check(settings.isClipped, (value) => {
            settings.isClipped = value;
            reshow(true);
        })),
    );
    host.prepend(bar);
    if (ids.length > 1) bar.querySelector(".range").before(...(await groupBox()));
};

// MARK: Legend

const runs = make("section", { className: "legend", ariaLabel: "Runs" });

const legend = () => {
    if (ids.length < 2) return;
    const { group } = settings;
    const hidden = group ? settings.hiddenGroups : settings.hidden;
    const lines = group
        ? group.groups.map(({ name, places }, place) => ({ id: name, place, name, note: places.size === 1 ? "1 run" : `${places.size} runs` }))
        : ids.map((id, place) => ({ id: String(place), place, name: names[place], link: `console/runs/${id}` }));
    const change = () => {
        legend();
        if (group) reshow();
        else redraw();
    };
    const all = make("button", { type: "button", className: "button button-quiet", textContent: hidden.size ? "Show all" : "Hide all" });
    all.addEventListener("click", () => {
        if (hidden.size) hidden.clear();
        else for (const { id } of lines) hidden.add(id);
        change();
    });
    const items = lines.map(({ id, place, name, note, link }) => {
        const box = check(!hidden.has(id), (isShown) => {
            if (isShown) hidden.delete(id);
            else hidden.add(id);
            change();
        });
        const item = make("li", {}, make("label", { title: name }, box, charts.swatch(place), make("span", { textContent: name })));
        if (note) item.append(make("span", { className: "muted", textContent: note }));
        if (link) {
            const isBase = place === settings.base;
            const pin = button("⚑", `Compare with ${name}`, () => {
                settings.base = place;
                legend();
                if (settings.isDifference) redraw();
                else reshow();
            });
            pin.ariaPressed = String(isBase);
            if (isBase) item.className = "legend-base";
            item.append(pin, make("a", { href: link, textContent: "↗", title: `Open ${name}`, ariaLabel: `Open ${name}` }));
        }
        return item;
    });
    const title = group ? `${lines.length} groups of ${group.column.replace(/^[a-z]+\./, "")}` : `${lines.length} runs`;
    const flag = group ? "" : "⚑ is what the others are compared with.";
    const focus = [...runs.querySelectorAll("input, button")].indexOf(document.activeElement);
    const scroll = runs.querySelector("ul")?.scrollTop ?? 0;
    runs.replaceChildren(
        make("header", {}, make("h2", { textContent: title }), make("span", { className: "muted", textContent: flag }), all),
        make("ul", {}, ...items),
    );
    runs.querySelector("ul").scrollTop = scroll;
    if (focus >= 0) runs.querySelectorAll("input, button")[focus]?.focus();
};

// MARK: Begin

// Asks for the names of all metrics; those that are new get a chart.
const learn = async () => {
    const answer = await charts.keys("metrics", ids);
    const wanted = answer.keys.filter(isWanted);
    const isSame = isPartial === answer.more && wanted.length === keys.length;
    isPartial = answer.more;
    if (isSame) return;
    keys = wanted;
    if (isBegun) arrange();
    else await begin();
};

let isBegun = false;
const begin = async () => {
    if (!keys.length) return;
    isBegun = true;
    host.querySelector("[data-empty]")?.remove();
    host.append(runs, grid, more);
    const bar = toolbar();
    if (settings.groupName && ids.length > 1) settings.group = await charts.groups(settings.groupName).catch(() => null);
    legend();
    arrange();
    await bar;
    if (isPartial) await learn();
};

if (host?.id === "charts") {
    const tell = (error) => apus.toast(error.message, true);
    begin().catch(tell);
    charts.onTheme(() => reshow());
    let drawing;
    let learning;
    apus.onChange((changes) => {
        if (!changes.some((change) => change === "*" || ids.some((id) => change === `run.logged run/${id}`))) return;
        // Charts that take long are drawn more rarely, and long lists of names are asked for more rarely.
        const cost = Math.max(0, ...[...visible].map((chart) => chart.cost ?? 0));
        drawing ??= setTimeout(() => {
            drawing = undefined;
            for (const chart of visible) if (!chart.zoomed) chart.draw(true);
        }, Math.max(300, 4 * cost));
        if (isPartial) return;
        learning ??= setTimeout(() => {
            learning = undefined;
            learn().catch(tell);
        }, Math.max(isBegun ? 2000 : 300, (ids.length * keys.length) / 50));
    });
}
