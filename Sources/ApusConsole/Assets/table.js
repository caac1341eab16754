// The table of runs: any number of rows and columns; only what is seen is fetched and in the page.

const host = document.getElementById("runs");
const form = document.querySelector("[data-runs-form]");
const total = document.querySelector("[data-total]");
const compare = document.querySelector("[data-compare]");
const ROW = 32;
const PAGE = 100;
const KEPT = 40;

const page = new URL(location.href);
const state = {
    filter: page.searchParams.get("filter") ?? "",
    order: page.searchParams.get("order") ?? "",
    view: page.searchParams.get("view") ?? "active",
    columns: host.dataset.shown ? host.dataset.shown.split("\n") : [],
    selected: new Set(),
};

const fixed = [
    { title: "", width: 36, kind: "choose" },
    { title: "Run", width: 260, kind: "name", order: "attributes.run_name" },
    { title: "Status", width: 110, kind: "status", order: "attributes.status" },
    { title: "Started", width: 130, kind: "start", order: "attributes.start_time" },
    { title: "Duration", width: 100, kind: "duration" },
];
let columns = [];
let pages = new Map();
let count = 0;
let generation = 0;
let counted = -1;

const layout = () => {
    columns = [
        ...fixed,
        ...state.columns.map((name) => {
            const dot = name.indexOf(".");
            const kind = name.slice(0, dot);
            const key = name.slice(dot + 1);
            // Backticks name any key, but one that holds a backtick itself.
            const order = key.includes("`") ? undefined : `${kind}.\`${key}\``;
            // Wide enough for the heading, unless that is very long.
            const width = Math.min(260, Math.max(kind === "metrics" ? 120 : 150, key.length * 8 + 48));
            return { title: key, width, kind, order, name };
        }),
    ];
    let left = 0;
    for (const column of columns) {
        column.left = left;
        left += column.width;
    }
    columns.width = left;
};

// MARK: The page's parts

const scroller = document.createElement("div");
scroller.className = "vtable";
scroller.tabIndex = 0;
scroller.setAttribute("role", "grid");
scroller.setAttribute("aria-label", "Runs");
const head = document.createElement("div");
head.className = "vtable-head";
head.setAttribute("role", "row");
const body = document.createElement("div");
body.setAttribute("role", "rowgroup");
body.style.position = "relative";
scroller.append(head, body);

const place = (cell, column) => {
    cell.classList.add("vtable-cell");
    cell.style.width = `${column.width}px`;
    if (column.kind === "choose" || column.kind === "name") {
        cell.classList.add("pinned");
        cell.style.left = `${column.left}px`;
    }
    if (column.kind === "metrics" || column.kind === "duration") cell.classList.add("number");
    return cell;
};

// Fixed columns, and those between the left and the right edge; the gap before them is a padding.
const seen = () => {
    const from = scroller.scrollLeft;
    const to = from + scroller.clientWidth;
    const others = columns.slice(fixed.length);
    const first = others.findIndex((column) => column.left + column.width > from);
    if (first < 0) return { shown: [], gap: 0 };
    let last = first;
    while (last + 1 < others.length && others[last + 1].left < to) last++;
    return { shown: others.slice(first, last + 1), gap: others[first].left - fixedWidth() };
};
const fixedWidth = () => fixed.reduce((sum, column) => sum + column.width, 0);

const spaced = (row, make) => {
    const { shown, gap } = seen();
    for (const column of fixed) row.append(place(make(column), column));
    shown.forEach((column, index) => {
        const cell = place(make(column), column);
        if (index === 0) cell.style.marginLeft = `${gap}px`;
        row.append(cell);
    });
    row.style.width = `${columns.width}px`;
};

const showHead = () => {
    head.replaceChildren();
    spaced(head, (column) => {
        const cell = document.createElement("div");
        cell.setAttribute("role", "columnheader");
        if (column.order) {
            const [by, direction] = state.order.split(/ (?=ASC$|DESC$)/);
            const isBy = by === column.order;
            cell.ariaSort = isBy ? (direction === "DESC" ? "descending" : "ascending") : "none";
            const button = document.createElement("button");
            button.type = "button";
            button.className = "sort";
            button.textContent = column.title + (isBy ? (direction === "DESC" ? " ↓" : " ↑") : "");
            button.title = column.name ?? column.title;
            button.addEventListener("click", () => {
                state.order = isBy ? (direction === "DESC" ? `${column.order} ASC` : "") : `${column.order} DESC`;
                restart();
            });
            cell.append(button);
        } else {
            cell.textContent = column.title;
            if (column.name) cell.title = column.name;
        }
        return cell;
    });
};

const tones = { RUNNING: "busy", SCHEDULED: "accent", FINISHED: "good", FAILED: "bad", KILLED: "bad", DELETED: "neutral" };

const number = (value) => {
    if (typeof value !== "number") return String(value);
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e15 || size < 1e-4) return value.toExponential(5).replace(/\.?0+e/, "e");
    return String(Number(value.toPrecision(6)));
};

const cell = (row, column) => {
    const element = document.createElement("div");
    element.setAttribute("role", "gridcell");
    switch (column.kind) {
        case "choose": {
            const box = document.createElement("input");
            box.type = "checkbox";
            box.checked = state.selected.has(row.id);
            box.setAttribute("aria-label", `Choose ${row.name || row.id}`);
            box.addEventListener("change", () => choose(row.id, box.checked));
            element.append(box);
            break;
        }
        case "name": {
            const link = document.createElement("a");
            link.href = `console/runs/${encodeURIComponent(row.id)}`;
            link.textContent = (row.parent ? "↳ " : "") + (row.name || row.id);
            link.title = row.name;
            element.append(link);
            break;
        }
        case "status": {
            const badge = document.createElement("span");
            badge.className = `badge badge-${tones[row.status] ?? "neutral"}`;
            badge.textContent = row.status.charAt(0) + row.status.slice(1).toLowerCase();
            element.append(badge);
            break;
        }
        case "start":
            if (row.start) {
                element.textContent = window.apus.ago(row.start);
                element.title = new Date(row.start).toISOString();
            }
            break;
        case "duration":
            if (row.start && row.end) element.textContent = window.apus.span(row.end - row.start);
            break;
        default: {
            const value = row.cells[state.columns.indexOf(column.name)];
            if (value !== null && value !== undefined) {
                element.textContent = number(value);
                element.title = String(value);
            }
        }
    }
    return element;
};

// MARK: Rows

const query = (more) => {
    const items = new URLSearchParams({ experiment: host.dataset.runs, ...more });
    if (state.filter) items.set("filter", state.filter);
    if (state.order) items.set("order", state.order);
    if (state.view !== "active") items.set("view", state.view);
    items.set("columns", state.columns.join("\n"));
    return items;
};

const load = (index) => {
    if (pages.has(index)) return;
    const turn = generation;
    pages.set(index, null);
    // The oldest pages go: a long way through a table must not fill the memory.
    if (pages.size > KEPT) pages.delete(pages.keys().next().value);
    // All are counted once for each search: that may take longer than a page of them.
    const more = counted === generation ? { count: "0" } : {};
    counted = generation;
    window.apus.ask(`console/data/runs?${query({ offset: index * PAGE, limit: PAGE, ...more })}`).then(
        (answer) => {
            if (turn !== generation) return;
            pages.set(index, answer.rows);
            if (answer.total !== undefined) setCount(answer.total);
            show();
        },
        (error) => {
            pages.delete(index);
            if (more.count === undefined) counted = -1;
            if (turn === generation) window.apus.toast(error.message, true);
        },
    );
};

const setCount = (value) => {
    count = value;
    total.textContent = `${value.toLocaleString("en").replaceAll(",", "\u202f")} ${value === 1 ? "run" : "runs"}`;
    scroller.setAttribute("aria-rowcount", String(value));
    // Browsers end at some 30 million pixels; beyond that, rows are denser than pixels of the bar.
    body.style.height = `${Math.min(value * ROW, 20_000_000)}px`;
};

let shownRows = new Map();
const show = () => {
    const height = scroller.clientHeight;
    const most = Math.max(0, count - Math.floor((height - ROW) / ROW));
    const real = count * ROW;
    const bar = Math.min(real, 20_000_000);
    const scale = real > bar ? (real - height) / (bar - height) : 1;
    const first = Math.min(most, Math.floor((scroller.scrollTop * scale) / ROW));
    const last = Math.min(count - 1, first + Math.ceil(height / ROW) + 2);
    const offset = scroller.scrollTop - first * ROW - ((scroller.scrollTop * scale) % ROW);
    const fresh = new Map();
    for (let index = first; index <= last; index++) {
        const block = Math.floor(index / PAGE);
        load(block);
        const row = pages.get(block)?.[index - block * PAGE];
        let line = shownRows.get(index);
        if (!line || line.run !== row || line.left !== scroller.scrollLeft) {
            const element = document.createElement("div");
            element.className = "vtable-row";
            element.setAttribute("role", "row");
            element.setAttribute("aria-rowindex", String(index + 1));
            if (row) {
                spaced(element, (column) => cell(row, column));
                element.classList.toggle("selected", state.selected.has(row.id));
            } else {
                element.classList.add("skeleton");
                element.style.width = `${columns.width}px`;
            }
            line?.element.remove();
            body.append(element);
            line = { element, run: row, left: scroller.scrollLeft };
        }
        line.element.style.transform = `translateY(${scale === 1 ? index * ROW : offset + index * ROW}px)`;
        shownRows.delete(index);
        fresh.set(index, line);
    }
    for (const line of shownRows.values()) line.element.remove();
    shownRows = fresh;
    // The next page is there before it is seen.
    const next = Math.floor((last + PAGE / 2) / PAGE);
    if (next * PAGE < count) load(next);
};

let isAsked = false;
const later = () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
        isAsked = false;
        if (head.dataset.left !== String(scroller.scrollLeft)) {
            head.dataset.left = String(scroller.scrollLeft);
            showHead();
        }
        show();
    });
};
scroller.addEventListener("scroll", later, { passive: true });
new ResizeObserver(later).observe(scroller);

const redraw = () => {
    for (const line of shownRows.values()) line.element.remove();
    shownRows = new Map();
    layout();
    showHead();
    show();
};

// MARK: What a person changes

const address = () => {
    const url = new URL(location.href);
    for (const [name, value, rest] of [
        ["filter", state.filter, ""], ["order", state.order, ""], ["view", state.view, "active"],
        ["columns", state.columns.join("\n"), ""],
    ]) {
        if (value === rest) url.searchParams.delete(name);
        else url.searchParams.set(name, value);
    }
    history.replaceState(null, "", url);
    const csv = document.querySelector("[data-csv]");
    if (csv) csv.href = `console/data/runs.csv?${query({})}`;
};

const restart = () => {
    generation++;
    pages = new Map();
    address();
    redraw();
    load(0);
};

const choose = (id, isChosen) => {
    if (isChosen) state.selected.add(id);
    else state.selected.delete(id);
    compare.disabled = state.selected.size < 2;
    compare.textContent = state.selected.size ? `Compare ${state.selected.size}` : "Compare";
    redraw();
};

compare.addEventListener("click", () => {
    const items = new URLSearchParams([...state.selected].slice(0, 200).map((id) => ["run", id]));
    location.href = new URL(`console/compare?${items}`, document.baseURI);
});

scroller.addEventListener("keydown", (event) => {
    if (event.target !== scroller) return;
    const step = { ArrowDown: ROW, ArrowUp: -ROW, PageDown: scroller.clientHeight - ROW, PageUp: ROW - scroller.clientHeight }[event.key];
    if (step) {
        event.preventDefault();
        scroller.scrollBy(0, step);
    }
});

// MARK: Columns

const dialog = document.createElement("dialog");
dialog.className = "palette";
dialog.setAttribute("aria-label", "Columns");
const openColumns = async () => {
    let all;
    try {
        all = (await window.apus.ask(`console/data/columns?experiment=${host.dataset.runs}`)).columns;
    } catch (error) {
        return window.apus.toast(error.message, true);
    }
    const box = document.createElement("input");
    box.type = "search";
    box.placeholder = "Find columns, text or /regular expression/";
    box.setAttribute("aria-label", "Find columns");
    const list = document.createElement("ul");
    const actions = document.createElement("div");
    actions.className = "actions";
    const chosen = new Set(state.columns);
    const draw = () => {
        const matches = window.apus.matcher(box.value);
        if (!matches) return;
        list.replaceChildren(
            ...all.filter(matches).slice(0, 500).map((name) => {
                const item = document.createElement("li");
                const label = document.createElement("label");
                const tick = document.createElement("input");
                tick.type = "checkbox";
                tick.checked = chosen.has(name);
                tick.addEventListener("change", () => (tick.checked ? chosen.add(name) : chosen.delete(name)));
                label.append(tick, ` ${name}`);
                item.append(label);
                return item;
            }),
        );
    };
    const button = (text, kind, act) => {
        const element = document.createElement("button");
        element.type = "button";
        element.className = kind;
        element.textContent = text;
        element.addEventListener("click", act);
        actions.append(element);
    };
    button("Choose all found", "button", () => {
        const matches = window.apus.matcher(box.value);
        if (matches) for (const name of all.filter(matches).slice(0, 500)) chosen.add(name);
        draw();
    });
    button("Choose none", "button", () => {
        chosen.clear();
        draw();
    });
    button("Show", "button button-primary", () => {
        // Those that were shown keep their places.
        state.columns = [...state.columns.filter((name) => chosen.has(name)), ...all.filter((name) => chosen.has(name) && !state.columns.includes(name))];
        dialog.close();
        restart();
    });
    box.addEventListener("input", draw);
    dialog.replaceChildren(box, list, actions);
    draw();
    dialog.showModal();
    box.focus();
};
document.body.append(dialog);
document.querySelector("[data-columns]")?.addEventListener("click", openColumns);

// MARK: Begin

form.addEventListener("submit", () => {
    // The address keeps what the form does not know.
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = "columns";
    input.value = state.columns.join("\n");
    if (page.searchParams.has("columns")) form.append(input);
});

if (host.querySelector("table")) {
    host.replaceChildren(scroller);
    layout();
    address();
    setCount(Number(total.textContent.replaceAll(/\D/g, "")));
    showHead();
    show();
}

let pause;
window.apus.onChange((changes) => {
    if (!changes.some((change) => change === "*" || /^run\./.test(change))) return;
    clearTimeout(pause);
    pause = setTimeout(() => {
        if (!host.contains(scroller)) return location.reload();
        generation++;
        pages = new Map();
        show();
    }, 300);
});
