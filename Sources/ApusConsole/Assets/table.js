// The table of runs: any number of rows and columns; only what is seen is fetched and in the page.
//
// table-filter.js, table-columns.js, table-choice.js and experiment.js find this table at window.apus.runs.

const host = document.getElementById("runs");
const form = document.querySelector("[data-runs-form]");
const total = document.querySelector("[data-total]");
const ROW = 32;
const KEPT = 40;
// Browsers end at some 30 million pixels; beyond that, rows are denser than pixels of the bar.
const TALLEST = 20_000_000;

const page = new URL(location.href);
const given = (name) => page.searchParams.get(name) ?? "";
const list = (name) => given(name).split("\n").filter(Boolean);
const state = {
    filter: given("filter"),
    order: given("order"),
    // The server has read these two, and left out what there is not.
    view: form.elements.view.value,
    // Empty for a tree, "flat", or the field that runs are grouped by.
    rows: form.elements.rows.value,
    columns: host.dataset.shown ? host.dataset.shown.split("\n") : [],
    pinned: new Set(list("pin")),
    curves: new Set(list("curves")),
    aggregate: given("aggregate") || "mean",
    // Until a person chooses columns, the address does not name them, so that new ones appear.
    isChosen: page.searchParams.has("columns"),
};
const isGrouped = state.rows !== "" && state.rows !== "flat";
const aggregates = ["min", "mean", "max"];

// MARK: Columns

const parts = (name) => [name.slice(0, name.indexOf(".")), name.slice(name.indexOf(".") + 1)];
// Backticks name any key, but one that holds a backtick itself.
const field = (name) => {
    const [kind, key] = parts(name);
    return /^\w+$/.test(key) ? name : key.includes("`") ? undefined : `${kind}.\`${key}\``;
};

let columns = [];
let pinned = 0;
const layout = () => {
    const name = { title: isGrouped ? parts(state.rows)[1] : "Run", width: Math.min(260, Math.round(innerWidth * 0.45)), kind: "name", order: "attributes.run_name", isPinned: true };
    const metrics = state.columns.filter((column) => column.startsWith("metrics."));
    const data = (isGrouped ? metrics.slice(0, 50) : state.columns).map((full) => {
        const [kind, key] = parts(full);
        const isCurve = kind === "metrics" && state.curves.has(full) && !isGrouped;
        const title = isGrouped ? `${key} (${state.aggregate})` : key;
        // Wide enough for the heading, unless that is very long.
        const width = Math.min(260, Math.max(isCurve ? 210 : kind === "metrics" ? 120 : 150, title.length * 8 + 64));
        return {
            title, width, kind, name: full, isCurve, order: field(full), isPinned: state.pinned.has(full),
            place: state.columns.indexOf(full), groupPlace: metrics.indexOf(full),
        };
    });
    columns = [
        ...(isGrouped ? [] : [{ title: "", width: 36, kind: "choose", isPinned: true }]),
        name,
        ...data.filter((column) => column.isPinned),
        ...(isGrouped
            ? [{ title: "Runs", width: 90, kind: "runs" }]
            : [
                  { title: "Status", width: 110, kind: "status", order: "attributes.status" },
                  { title: "Started", width: 130, kind: "start", order: "attributes.start_time" },
                  { title: "Duration", width: 100, kind: "duration" },
              ]),
        ...data.filter((column) => !column.isPinned),
    ];
    pinned = columns.findIndex((column) => !column.isPinned);
    if (pinned < 0) pinned = columns.length;
    let left = 0;
    columns.forEach((column, index) => {
        column.index = index;
        column.left = left;
        left += column.width;
    });
    columns.width = left;
};

// Pinned columns, and those between the left and the right edge with two more on each side.
const seen = () => {
    const from = scroller.scrollLeft + (columns[pinned]?.left ?? 0);
    const to = scroller.scrollLeft + scroller.clientWidth;
    let first = pinned;
    while (first < columns.length && columns[first].left + columns[first].width <= from) first++;
    let last = first;
    while (last < columns.length && columns[last].left < to) last++;
    first = Math.max(pinned, first - 2);
    last = Math.min(columns.length, last + 2);
    return { first, last };
};

// MARK: Rows

// The rows at the top, or those below one of them; rows below others stand between its own.
class Source {
    constructor(more, depth, count) {
        this.more = more;
        this.depth = depth;
        this.count = count;
        // Rows that are fetched at once: fewer of wide ones.
        this.span = state.columns.length > 150 ? 40 : 100;
        this.pages = new Map();
        this.stale = new Set();
        this.jobs = new Map();
        this.open = [];
        this.isCounted = false;
    }

    get size() {
        return this.open.reduce((sum, child) => sum + child.source.size, this.count);
    }

    // Where a row of the table belongs.
    at(index) {
        let before = 0;
        for (const { place, source } of this.open) {
            const start = place + 1 + before;
            if (index < start) break;
            if (index < start + source.size) return source.at(index - start);
            before += source.size;
        }
        return { source: this, place: index - before };
    }

    row(place) {
        return this.pages.get(Math.floor(place / this.span))?.[place % this.span];
    }

    needs(block) {
        return !this.jobs.has(block) && (!this.pages.has(block) || this.stale.has(block));
    }

    load(block) {
        if (this.jobs.has(block)) return this.jobs.get(block);
        if (!this.needs(block)) return Promise.resolve(this.pages.get(block));
        this.stale.delete(block);
        const job = this.fetch(block)
            .then(
                (rows) => {
                    this.pages.delete(block);
                    this.pages.set(block, rows);
                    // The oldest pages go: a long way through a table must not fill the memory.
                    if (this.pages.size > KEPT) this.pages.delete(this.pages.keys().next().value);
                    this.keepOpen(block, rows);
                    return rows;
                },
                (error) => {
                    window.apus.toast(error.message, true);
                    // Nothing is asked for again and again; the next change or search tries anew.
                    this.pages.set(block, this.pages.get(block) ?? []);
                    return [];
                },
            )
            .finally(() => {
                this.jobs.delete(block);
                later();
            });
        this.jobs.set(block, job);
        return job;
    }

    async fetch(block) {
        // All are counted once: that may take longer than a page of them.
        const more = this.isCounted ? { count: "0" } : {};
        this.isCounted = true;
        let answer;
        const begin = performance.now();
        try {
            answer = await window.apus.ask(`console/data/runs?${query({ offset: block * this.span, limit: this.span, ...more, ...this.more })}`);
        } catch (error) {
            this.isCounted = false;
            throw error;
        }
        if (this === top) cost = performance.now() - begin;
        if (answer.total !== undefined) {
            this.count = answer.total;
            if (this === top) told = { total: answer.total, all: answer.all ?? answer.total };
        }
        return answer.rows;
    }

    // Rows may have moved: what was open stays with its run.
    keepOpen(block, rows) {
        this.open = this.open.filter((child) => {
            const place = rows.findIndex((row) => row.id === child.id);
            if (place >= 0) child.place = block * this.span + place;
            else if (Math.floor(child.place / this.span) === block) return false;
            return true;
        });
        this.open.sort((a, b) => a.place - b.place);
    }

    toggle(place) {
        const row = this.row(place);
        const isOpen = this.open.some((child) => child.id === row.id);
        if (isOpen) this.open = this.open.filter((child) => child.id !== row.id);
        else {
            const more = row.isGroup ? { by: state.rows, ...(row.value === undefined ? { none: "1" } : { group: row.value }) } : { parent: row.id };
            this.open.push({ place, id: row.id, source: new Source(more, this.depth + 1, row.children) });
            this.open.sort((a, b) => a.place - b.place);
        }
        return !isOpen;
    }

    // Everything is fetched anew as it is seen; until then the old rows stay.
    refresh(isCounted) {
        this.stale = new Set(this.pages.keys());
        if (isCounted) this.isCounted = false;
        for (const child of this.open) child.source.refresh(isCounted);
    }
}

// Groups come all at once and are sorted here.
class Groups extends Source {
    async fetch(block) {
        const begin = performance.now();
        this.all ??= window.apus.ask(`console/data/groups?${query({ by: state.rows })}`).then((answer) => {
            const groups = answer.groups.map((group) => ({
                id: group.value === undefined ? "none" : `value ${group.value}`, isGroup: true, value: group.value,
                name: group.value ?? "(none)", children: group.runs, cells: group.cells,
            }));
            this.count = groups.length;
            cost = performance.now() - begin;
            told = { groups: groups.length, more: answer.more, all: groups.reduce((sum, group) => sum + group.children, 0) };
            return groups;
        });
        const groups = this.sorted(await this.all);
        return groups.slice(block * this.span, (block + 1) * this.span);
    }

    sorted(groups) {
        const [by, direction] = state.order.split(/ (?=ASC$|DESC$)/);
        const column = columns.find((column) => column.order && column.order === by);
        if (!column) return groups;
        const kind = aggregates.indexOf(state.aggregate);
        const value = (group) => (column.kind === "name" ? group.name : group.cells[column.groupPlace]?.[kind]);
        const sign = direction === "DESC" ? -1 : 1;
        return groups.toSorted((a, b) => {
            const [left, right] = [value(a), value(b)];
            if (left == null || right == null) return (left == null) - (right == null);
            return sign * (left < right ? -1 : left > right ? 1 : 0);
        });
    }

    refresh(isCounted) {
        this.all = undefined;
        super.refresh(isCounted);
    }
}

const query = (more) => {
    const items = new URLSearchParams({ experiment: host.dataset.runs, ...more });
    if (state.filter) items.set("filter", state.filter);
    if (state.order) items.set("order", state.order);
    if (state.view !== "active") items.set("view", state.view);
    if (state.rows) items.set("rows", state.rows);
    items.set("columns", state.columns.join("\n"));
    return items;
};

const fresh = () => (isGrouped ? new Groups({}, 1, 0) : new Source({}, 1, Number(total.dataset.total)));
let top;
let told;
// Milliseconds that the last answer took: what is dear is asked for less often while things change.
let cost = 0;

// Few requests at once, and only for what is still seen: rows that rush by are not asked for.
let wanted = [];
let active = 0;
const pump = () => {
    while (active < 3 && wanted.length) {
        const [source, block] = wanted.shift();
        if (!source.needs(block)) continue;
        active++;
        source.load(block).finally(() => {
            active--;
            pump();
        });
    }
};

// MARK: The page's parts

const element = (name, className, role) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (role) made.setAttribute("role", role);
    return made;
};

// The grid is one stop of the Tab key. It keeps the focus and names its cell by aria-activedescendant: cells come and
// go while the table scrolls, and a focus on one of them would be lost with it.
const scroller = element("div", "vtable", "grid");
scroller.tabIndex = 0;
scroller.setAttribute("aria-label", "Runs");
scroller.setAttribute("aria-multiselectable", "true");
const head = element("div", "vtable-head", "row");
head.setAttribute("aria-rowindex", "1");
const body = element("div", "vtable-body", "rowgroup");
const none = element("div", "empty");
none.hidden = true;
none.append(Object.assign(element("p", "empty-title"), { textContent: "No runs are left here" }));
scroller.append(head, body, none);
const speaker = element("div", "sr-only", "status");
const announce = (text) => (speaker.textContent = text);

const place = (cell, column) => {
    cell.className = `vtable-cell ${column.isPinned ? "pinned" : "placed"}`;
    if (["metrics", "duration", "runs"].includes(column.kind)) cell.classList.add("number");
    cell.style.width = `${column.width}px`;
    cell.style.left = `${column.left}px`;
    cell.setAttribute("aria-colindex", String(column.index + 1));
};

const sortBy = (column) => {
    const [by, direction] = state.order.split(/ (?=ASC$|DESC$)/);
    const isBy = by === column.order;
    sort(column, isBy ? (direction === "DESC" ? "ASC" : "") : "DESC");
};
const sort = (column, direction) => {
    state.order = direction ? `${column.order} ${direction}` : "";
    announce(direction ? `Sorted by ${column.title}, ${direction === "DESC" ? "descending" : "ascending"}.` : "Sorted by start, newest first.");
    scroller.scrollTop = 0;
    restart();
};

const showHead = () => {
    const [by, direction] = state.order.split(/ (?=ASC$|DESC$)/);
    head.replaceChildren(
        ...[...columns.slice(0, pinned), ...columns.slice(window_.first, window_.last)].map((column) => {
            const cell = element("div", "", "columnheader");
            place(cell, column);
            cell.dataset.column = column.index;
            if (column.kind === "choose") {
                const box = element("input");
                box.type = "checkbox";
                box.tabIndex = -1;
                box.setAttribute("aria-label", "Choose all found runs");
                box.checked = selected.size > 0;
                box.indeterminate = selected.size > 0 && !runs.isAllChosen;
                cell.append(box);
                return cell;
            }
            if (column.order) {
                const isBy = by === column.order;
                cell.ariaSort = isBy ? (direction === "DESC" ? "descending" : "ascending") : "none";
                const button = element("button", "sort");
                button.type = "button";
                button.tabIndex = -1;
                button.textContent = column.title + (isBy ? (direction === "DESC" ? " ↓" : " ↑") : "");
                button.title = column.name ?? column.title;
                cell.append(button);
            } else {
                cell.append(column.title);
                if (column.name) cell.title = column.name;
            }
            if (column.name) {
                cell.draggable = true;
                const more = element("button", "column-menu");
                more.type = "button";
                more.tabIndex = -1;
                more.textContent = "⋯";
                more.setAttribute("aria-label", (more.title = "Column menu"));
                more.setAttribute("aria-haspopup", "menu");
                cell.append(more);
            }
            return cell;
        }),
    );
    head.style.minWidth = `max(100%, ${columns.width}px)`;
};

// MARK: Cells

const tones = { RUNNING: "busy", SCHEDULED: "accent", FINISHED: "good", FAILED: "bad", KILLED: "bad", DELETED: "neutral" };

const number = (value) => (typeof value === "number" ? apus.short(value) : String(value));

const write = (slot, text, title = "") => {
    if (slot.text !== text) slot.element.textContent = slot.text = text;
    if (slot.title !== title) slot.element.title = slot.title = title;
};

// Each kind makes its elements once and is painted again for every row that passes through.
const kinds = {
    choose: {
        make(slot) {
            slot.box = element("input");
            slot.box.type = "checkbox";
            slot.box.tabIndex = -1;
            slot.element.append(slot.box);
        },
        paint(slot, row) {
            slot.box.checked = selected.has(row.id);
            slot.box.setAttribute("aria-label", `Choose ${row.name || row.id}`);
        },
    },
    name: {
        make(slot) {
            slot.toggle = element("button", "toggle");
            slot.toggle.type = "button";
            slot.toggle.tabIndex = -1;
            slot.link = element("a");
            slot.link.tabIndex = -1;
            slot.label = element("span");
            slot.note = element("span", "muted");
            slot.element.append(slot.toggle, slot.link, slot.label, slot.note);
        },
        paint(slot, row, column, line) {
            // Names of one level stand below each other, with or without something to expand.
            const isTree = scroller.getAttribute("role") === "treegrid";
            slot.element.style.paddingLeft = isTree ? `${12 + (line.source.depth - 1) * 20 + (row.children ? 0 : 16)}px` : "";
            slot.toggle.hidden = !row.children;
            slot.toggle.textContent = line.isOpen ? "▾" : "▸";
            slot.toggle.setAttribute("aria-label", `${line.isOpen ? "Collapse" : "Expand"} ${row.name || row.id}`);
            slot.link.hidden = Boolean(row.isGroup);
            slot.label.hidden = !row.isGroup;
            slot.note.hidden = !row.children || Boolean(row.isGroup);
            slot.note.textContent = row.children > 1000 ? " 1000+" : ` ${row.children}`;
            if (row.isGroup) slot.label.textContent = row.name;
            else {
                slot.link.href = `console/runs/${encodeURIComponent(row.id)}`;
                slot.link.textContent = (row.parent && line.source.depth === 1 ? "↳ " : "") + (row.name || row.id);
            }
            slot.element.title = row.name;
        },
    },
    status: {
        make(slot) {
            slot.badge = element("span");
            slot.element.append(slot.badge);
        },
        paint(slot, row) {
            slot.badge.className = `badge badge-${tones[row.status] ?? "neutral"}`;
            slot.badge.textContent = row.status.charAt(0) + row.status.slice(1).toLowerCase();
        },
    },
    start: {
        paint: (slot, row) => write(slot, row.start ? window.apus.ago(row.start) : "", row.start ? new Date(row.start).toISOString() : ""),
    },
    duration: { paint: (slot, row) => write(slot, row.start && row.end ? window.apus.span(row.end - row.start) : "") },
    runs: { paint: (slot, row) => write(slot, row.isGroup ? row.children.toLocaleString("en").replaceAll(",", "\u202f") : "") },
    curve: {
        make(slot) {
            const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
            svg.setAttribute("class", "curve");
            svg.setAttribute("viewBox", "0 0 90 20");
            svg.setAttribute("aria-hidden", "true");
            slot.line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
            svg.append(slot.line);
            slot.value = element("span");
            slot.element.append(svg, slot.value);
        },
        paint(slot, row, column) {
            const value = row.cells[column.place];
            slot.value.textContent = value == null ? "" : number(value);
            slot.element.title = value == null ? "" : String(value);
            slot.line.setAttribute("points", curves.get(column.name)?.get(row.id)?.points ?? "");
        },
    },
    text: {
        paint(slot, row, column) {
            const value = row.isGroup ? row.cells[column.groupPlace]?.[aggregates.indexOf(state.aggregate)] : row.cells[column.place];
            if (value === null || value === undefined) write(slot, "");
            else write(slot, number(value), String(value));
        },
    },
};
const kindOf = (column) => (column.isCurve ? "curve" : column.kind in kinds ? column.kind : "text");

// MARK: Curves in cells

const curves = new Map();
let curvePause;
const askCurves = () => {
    clearTimeout(curvePause);
    if (!state.curves.size || isGrouped) return;
    curvePause = setTimeout(async () => {
        for (const column of [...columns.slice(0, pinned), ...columns.slice(window_.first, window_.last)]) {
            if (!column.isCurve) continue;
            const known = curves.get(column.name) ?? new Map();
            if (known.size > 2_000) known.clear();
            curves.set(column.name, known);
            const missing = [...lines.values()].map((line) => line.row).filter((row) => row && row.cells[column.place] != null && !known.get(row.id)?.isFresh).slice(0, 100);
            if (!missing.length) continue;
            // The old curve, or none, until the answer is here, so that it is asked for once.
            for (const row of missing) known.set(row.id, { points: known.get(row.id)?.points ?? "", isFresh: true });
            const items = new URLSearchParams([["key", parts(column.name)[1]], ...missing.map((row) => ["run", row.id])]);
            try {
                const answer = await window.apus.ask(`console/data/sparklines?${items}`);
                for (const { run, x, y } of answer.curves) known.set(run, { points: points(x, y), isFresh: true });
                repaint();
            } catch (error) {
                window.apus.toast(error.message, true);
            }
        }
    }, 60);
};

const points = (x, y) => {
    const [left, right] = [Math.min(...x), Math.max(...x)];
    const [low, high] = [Math.min(...y), Math.max(...y)];
    return x.map((at, index) => {
        const across = right > left ? ((at - left) / (right - left)) * 88 + 1 : 45;
        const up = high > low ? 18 - ((y[index] - low) / (high - low)) * 16 : 10;
        return `${across.toFixed(1)},${up.toFixed(1)}`;
    }).join(" ");
};

// MARK: Lines: the elements of the rows that are seen, used again and again

let lines = new Map();
let free = [];
let window_ = { first: 0, last: 0, span: 1 };
// Changes with the window of columns, and with anything else that cells show.
let stamp = 0;
let painted = 0;

const makeLine = () => {
    const line = { element: element("div", "vtable-row", "row"), pins: [], ring: [] };
    body.append(line.element);
    return line;
};

const fill = (line, index, source, spot) => {
    const row = source.row(spot);
    // When only the columns moved, those that stay are not painted again.
    const isSame = line.row === row && line.source === source && line.painted === painted;
    Object.assign(line, { index, source, spot, row, stamp, painted, isOpen: row ? source.open.some((child) => child.id === row.id) : false });
    const { element: made } = line;
    made.setAttribute("aria-rowindex", String(index + 2));
    made.classList.toggle("skeleton", !row);
    made.classList.toggle("group", Boolean(row?.isGroup));
    if (row?.children) {
        made.setAttribute("aria-expanded", String(line.isOpen));
        // Only a tree has levels.
        if (scroller.getAttribute("role") !== "treegrid") {
            scroller.setAttribute("role", "treegrid");
            repaint();
        }
    } else made.removeAttribute("aria-expanded");
    if (scroller.getAttribute("role") === "treegrid") made.setAttribute("aria-level", String(source.depth));
    if (!row) return;
    const use = (slots, at, column) => {
        let slot = slots[at];
        if (!slot) {
            slot = slots[at] = { element: element("div", "", "gridcell") };
            made.append(slot.element);
        }
        if (slot.column === column && isSame) return;
        const kind = kindOf(column);
        if (slot.kind !== kind) {
            slot.element.replaceChildren();
            Object.assign(slot, { kind, text: undefined, title: undefined });
            slot.element.style.paddingLeft = "";
            kinds[kind].make?.(slot);
        }
        if (slot.column !== column) {
            slot.column = column;
            slot.element.hidden = false;
            place(slot.element, column);
        }
        kinds[kind].paint(slot, row, column, line);
    };
    for (let index = 0; index < pinned; index++) use(line.pins, index, columns[index]);
    // A column keeps its cell while it is in the window, whichever others come and go.
    for (let index = window_.first; index < window_.last; index++) use(line.ring, index % window_.span, columns[index]);
    const clear = (slot) => {
        slot.element.hidden = true;
        slot.column = undefined;
    };
    line.pins.slice(pinned).forEach(clear);
    line.ring.forEach((slot, at) => {
        const index = slot.column?.index;
        if (at !== index % window_.span || index < window_.first || index >= window_.last) clear(slot);
    });
    mark(line);
};

const mark = (line) => {
    const isSelected = Boolean(line.row && selected.has(line.row.id));
    line.element.setAttribute("aria-selected", String(isSelected));
    const box = line.pins.find((slot) => slot.kind === "choose")?.box;
    if (box) box.checked = isSelected;
};

const show = () => {
    const count = top.size;
    const height = scroller.clientHeight;
    const bar = Math.min(count * ROW, TALLEST);
    if (body.style.height !== `${bar}px`) {
        body.style.height = `${bar}px`;
        scroller.setAttribute("aria-rowcount", String(count + 1));
    }
    none.hidden = count > 0 || !told;
    tell();
    const fresh = seen();
    if (fresh.first !== window_.first || fresh.last !== window_.last || columns !== window_.columns) {
        if (columns !== window_.columns) painted++;
        // The most columns that were seen at once: each has a cell of its own then.
        window_ = { ...fresh, columns, span: Math.max(window_.span, fresh.last - fresh.first) };
        stamp++;
        body.style.minWidth = `${columns.width}px`;
        scroller.setAttribute("aria-colcount", String(columns.length));
        showHead();
    }
    const most = Math.max(0, count - Math.floor((height - ROW) / ROW));
    const real = count * ROW;
    const scale = real > bar ? (real - height) / (bar - height) : 1;
    const first = Math.min(most, Math.floor((scroller.scrollTop * scale) / ROW));
    const last = Math.min(count - 1, first + Math.ceil(height / ROW) + 2);
    const offset = scroller.scrollTop - first * ROW - ((scroller.scrollTop * scale) % ROW);
    for (const [index, line] of lines) {
        if (index >= first && index <= last) continue;
        lines.delete(index);
        free.push(line);
    }
    wanted = [];
    const want = (index) => {
        const { source, place: spot } = top.at(index);
        const block = Math.floor(spot / source.span);
        if (source.needs(block) && !wanted.some((job) => job[0] === source && job[1] === block)) wanted.push([source, block]);
        return { source, spot };
    };
    for (let index = first; index <= last; index++) {
        const { source, spot } = want(index);
        let line = lines.get(index);
        if (!line) {
            line = free.pop() ?? makeLine();
            line.element.hidden = false;
            line.stamp = -1;
            lines.set(index, line);
        }
        if (line.stamp !== stamp || line.source !== source || line.spot !== spot || line.row !== source.row(spot)) fill(line, index, source, spot);
        const y = scale === 1 ? index * ROW : offset + index * ROW;
        if (line.y !== y) line.element.style.transform = `translateY(${(line.y = y)}px)`;
    }
    for (const line of free) line.element.hidden = true;
    // The next page is there before it is seen.
    if (last + top.span / 2 < count) want(last + Math.floor(top.span / 2));
    if (!isGrouped || count) pump();
    markActive();
    askCurves();
};

const grouped = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
const tell = () => {
    if (!told) return;
    const all = `${grouped(told.all)} ${told.all === 1 ? "run" : "runs"}`;
    const kept = told.more ? `the ${grouped(told.groups)} largest groups` : `${grouped(told.groups ?? 0)} ${told.groups === 1 ? "group" : "groups"}`;
    total.textContent = told.groups !== undefined ? `${all} in ${kept}` : told.all === told.total ? all : `${all}, ${grouped(told.total)} at the top`;
    total.dataset.all = told.all;
};

let isAsked = false;
const later = () => {
    if (isAsked || !top) return;
    isAsked = true;
    requestAnimationFrame(() => {
        isAsked = false;
        show();
    });
};
scroller.addEventListener("scroll", later, { passive: true });
new ResizeObserver(later).observe(scroller);
const repaint = () => {
    stamp++;
    painted++;
    later();
};

// MARK: What a person changes

const address = (changes = {}) => {
    const url = new URL(location.href);
    const now = { ...state, ...changes };
    for (const [name, value] of [
        ["filter", now.filter], ["order", now.order], ["view", now.view === "active" ? "" : now.view], ["rows", now.rows],
        ["columns", now.isChosen ? now.columns.join("\n") : ""], ["pin", [...now.pinned].join("\n")],
        ["curves", [...now.curves].join("\n")], ["aggregate", now.aggregate === "mean" ? "" : now.aggregate],
    ]) {
        if (value) url.searchParams.set(name, value);
        else url.searchParams.delete(name);
    }
    return url;
};
const remember = () => {
    history.replaceState(null, "", address());
    const csv = document.querySelector("[data-csv]");
    if (csv) csv.href = `console/data/runs.csv?${query({})}`;
};

const restart = () => {
    if (!top) return location.assign(address());
    const count = top.count;
    top = fresh();
    top.count = count;
    if (isGrouped) top.load(0);
    remember();
    layout();
    repaint();
    show();
};

// MARK: Choosing rows

const selected = new Set();
const listeners = [];
let anchor;
const selectionChanged = () => {
    for (const line of lines.values()) mark(line);
    const box = head.querySelector("input");
    if (box) {
        box.checked = selected.size > 0;
        box.indeterminate = selected.size > 0 && !runs.isAllChosen;
    }
    for (const listener of listeners) listener();
};

const choose = async (index, isRange) => {
    const { source, place: spot } = top.at(index);
    const row = source.row(spot);
    if (!row || row.isGroup) return;
    runs.isAllChosen = false;
    if (isRange && anchor !== undefined && anchor !== index) {
        const [from, to] = [Math.min(anchor, index), Math.max(anchor, index)];
        if (to - from >= 10_000) return window.apus.toast("At most 10\u202f000 runs can be chosen at once.", true);
        // Rows between that were never seen are fetched.
        for (let at = from; at <= to; at++) {
            const found = top.at(at);
            const rows = await found.source.load(Math.floor(found.place / found.source.span));
            const between = rows?.[found.place % found.source.span];
            if (between && !between.isGroup) selected.add(between.id);
        }
    } else if (selected.has(row.id)) selected.delete(row.id);
    else selected.add(row.id);
    anchor = index;
    selectionChanged();
};

const chooseAll = async () => {
    if (selected.size) return chooseNone();
    try {
        // Children count as well, whether they are shown or not.
        const answer = await window.apus.ask(`console/data/ids?${query({ rows: "flat" })}`);
        for (const id of answer.ids) selected.add(id);
        runs.isAllChosen = !answer.more;
        const text = `${grouped(answer.ids.length)} runs are chosen${answer.more ? ", as many as can be at once" : ""}.`;
        announce(text);
        if (answer.more) window.apus.toast(text);
    } catch (error) {
        window.apus.toast(error.message, true);
    }
    selectionChanged();
};
const chooseNone = () => {
    selected.clear();
    runs.isAllChosen = false;
    selectionChanged();
};

const toggle = (index) => {
    const { source, place: spot } = top.at(index);
    if (!source.row(spot)?.children) return;
    const isOpen = source.toggle(spot);
    announce(isOpen ? "Expanded." : "Collapsed.");
    repaint();
};

// MARK: The pointer

const targetOf = (event) => {
    const headCell = event.target.closest("[role=columnheader]");
    if (headCell) return { index: -1, column: Number(headCell.dataset.column) };
    const cell = event.target.closest("[role=gridcell]");
    const line = [...lines.values()].find((line) => line.element === cell?.parentElement);
    const slot = line && [...line.pins, ...line.ring].find((slot) => slot?.element === cell);
    return slot?.column ? { index: line.index, column: slot.column.index } : undefined;
};

scroller.addEventListener("mousedown", (event) => {
    const target = targetOf(event);
    if (target) current = target;
    // The focus stays with the grid, whose keys work on; texts can still be marked.
    if (event.target.closest("button, a, input") && !head.contains(event.target)) {
        event.preventDefault();
        scroller.focus({ preventScroll: true });
    }
    markActive();
});
scroller.addEventListener("click", (event) => {
    const target = targetOf(event);
    if (!target) return;
    const column = columns[target.column];
    if (target.index < 0) {
        // Not before the click: a head that is pressed may be on its way to another place.
        scroller.focus({ preventScroll: true });
        if (event.target.closest(".column-menu")) runs.menu?.(column, event.target.closest("[role=columnheader]"));
        else if (column.kind === "choose") {
            event.preventDefault();
            chooseAll();
        } else if (event.target.closest(".sort")) sortBy(column);
    } else if (event.target.closest(".toggle")) toggle(target.index);
    else if (column.kind === "choose") {
        // The box follows the choice, which may be of many.
        if (event.target.matches("input")) setTimeout(() => choose(target.index, event.shiftKey));
        else choose(target.index, event.shiftKey);
    } else if (event.shiftKey && !event.target.closest("a")) choose(target.index, true);
});
scroller.addEventListener("contextmenu", (event) => {
    const cell = event.target.closest("[role=columnheader]");
    const column = columns[cell?.dataset.column];
    if (!column?.name) return;
    event.preventDefault();
    runs.menu?.(column, cell);
});

// Columns are dragged to their place by their heads; the menu does the same for the keyboard.
let dragged;
head.addEventListener("dragstart", (event) => {
    dragged = columns[event.target.dataset?.column]?.name;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged ?? "");
});
head.addEventListener("dragover", (event) => {
    const cell = event.target.closest("[draggable=true]");
    for (const other of head.children) other.classList.toggle("drop", other === cell && dragged !== undefined);
    if (cell && dragged) event.preventDefault();
});
head.addEventListener("drop", (event) => {
    const onto = columns[event.target.closest("[draggable=true]")?.dataset.column]?.name;
    if (!onto || !dragged || onto === dragged) return;
    event.preventDefault();
    const isForward = state.columns.indexOf(dragged) < state.columns.indexOf(onto);
    const rest = state.columns.filter((name) => name !== dragged);
    rest.splice(rest.indexOf(onto) + (isForward ? 1 : 0), 0, dragged);
    setColumns(rest);
});
head.addEventListener("dragend", () => {
    dragged = undefined;
    for (const cell of head.children) cell.classList.remove("drop");
});

const setColumns = (names) => {
    state.columns = names;
    state.isChosen = true;
    for (const set of [state.pinned, state.curves]) for (const name of set) if (!names.includes(name)) set.delete(name);
    restart();
};

// MARK: The keyboard

let current;
const markActive = () => {
    const old = document.getElementById("runs-cell");
    let cell;
    if (current) {
        if (current.index < 0) cell = [...head.children].find((cell) => Number(cell.dataset.column) === current.column);
        else {
            const line = lines.get(current.index);
            cell = line && [...line.pins, ...line.ring].find((slot) => slot?.column?.index === current.column)?.element;
        }
    }
    if (old === cell) return;
    old?.removeAttribute("id");
    if (cell) cell.id = "runs-cell";
    if (cell) scroller.setAttribute("aria-activedescendant", "runs-cell");
    else scroller.removeAttribute("aria-activedescendant");
};

const move = (index, column) => {
    const count = top.size;
    current = { index: Math.max(-1, Math.min(count - 1, index)), column: Math.max(0, Math.min(columns.length - 1, column)) };
    if (current.index >= 0) {
        const bar = Math.min(count * ROW, TALLEST);
        const scale = count * ROW > bar ? (count * ROW - scroller.clientHeight) / (bar - scroller.clientHeight) : 1;
        const y = (current.index * ROW) / scale;
        const inner = scroller.clientHeight - head.offsetHeight;
        if (y < scroller.scrollTop) scroller.scrollTop = y;
        else if (y + ROW > scroller.scrollTop + inner) scroller.scrollTop = y + ROW - inner;
    }
    const target = columns[current.column];
    if (target && !target.isPinned) {
        const edge = columns[pinned]?.left ?? 0;
        if (target.left - edge < scroller.scrollLeft) scroller.scrollLeft = target.left - edge;
        else if (target.left + target.width > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = target.left + target.width - scroller.clientWidth;
    }
    show();
};

scroller.addEventListener("focus", () => {
    current ??= { index: 0, column: columns.findIndex((column) => column.kind === "name") };
    markActive();
});
scroller.addEventListener("keydown", (event) => {
    if (!current || event.target.closest("[role=menu]")) return;
    const { index, column } = current;
    const target = columns[column];
    const found = index >= 0 ? top.at(index) : undefined;
    const row = found?.source.row(found.place);
    const isOpen = row && found.source.open.some((child) => child.id === row.id);
    const screen = Math.max(1, Math.floor((scroller.clientHeight - head.offsetHeight) / ROW) - 1);
    const isMenu = event.key === "ContextMenu" || (event.shiftKey && event.key === "F10") || (event.altKey && event.key === "ArrowDown");
    const act = {
        ArrowDown: () => move(index + 1, column),
        ArrowUp: () => move(index - 1, column),
        PageDown: () => move(Math.max(0, index) + screen, column),
        PageUp: () => move(Math.max(0, index - screen), column),
        ArrowRight: () => (target.kind === "name" && row?.children && !isOpen ? toggle(index) : move(index, column + 1)),
        ArrowLeft: () => (target.kind === "name" && isOpen ? toggle(index) : move(index, column - 1)),
        Home: () => move(event.ctrlKey || event.metaKey ? 0 : index, 0),
        End: () => move(event.ctrlKey || event.metaKey ? top.size - 1 : index, columns.length - 1),
        Escape: () => chooseNone(),
        " ": () => (index < 0 ? target.kind === "choose" && chooseAll() : choose(index, event.shiftKey)),
        Enter: () => {
            if (index < 0) return target.kind === "choose" ? chooseAll() : target.order && sortBy(target);
            if (row?.isGroup) toggle(index);
            else if (row) location.href = new URL(`console/runs/${encodeURIComponent(row.id)}`, document.baseURI);
        },
    }[event.key];
    if (isMenu) {
        if (index >= 0 || !target.name) return;
        event.preventDefault();
        runs.menu?.(target, document.getElementById("runs-cell"));
    } else if ((event.ctrlKey || event.metaKey) && event.key === "a") {
        event.preventDefault();
        chooseAll();
    } else if (act && !event.altKey) {
        event.preventDefault();
        act();
    }
});

// MARK: What the other scripts of the page make elements with

const make = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
};
const button = (textContent, className, act, label) => {
    const made = make("button", { type: "button", textContent, className });
    if (label) made.setAttribute("aria-label", (made.title = label));
    made.addEventListener("click", act);
    return made;
};

// MARK: Begin

const runs = (window.apus.runs = {
    host, form, state, selected, isGrouped, make, button, grouped, announce, query, address, sort, setColumns, chooseNone, aggregates, parts, field,
    isAllChosen: false,
    onChoice: (listener) => listeners.push(listener),
    redraw: restart,
    refresh: () => refresh(true),
    go: (changes) => location.assign(address(changes)),
    get columns() {
        return columns;
    },
});

for (const name of ["view", "rows"]) {
    form.elements[name].addEventListener("change", (event) => runs.go({ [name]: event.target.value }));
}
if (isGrouped) {
    const select = element("select");
    select.setAttribute("aria-label", "Aggregate");
    select.append(...aggregates.map((name) => new Option(name, name, false, name === state.aggregate)));
    select.addEventListener("change", () => {
        state.aggregate = select.value;
        restart();
    });
    form.elements.rows.after(select);
}

if (host.querySelector("table")) {
    host.replaceChildren(scroller);
    document.body.append(speaker);
    layout();
    top = fresh();
    if (isGrouped) top.load(0);
    remember();
    show();
}

const refresh = (isCounted) => {
    top.refresh(isCounted);
    // Even where nothing is left to be seen, something may come.
    if (isGrouped || top.count === 0) top.load(0);
    show();
};

// A page without rows becomes one with rows when there are some; a wrong filter finds none.
const appear = async () => {
    if (document.querySelector("#filter-problem > *")) return;
    try {
        const { rows } = await window.apus.ask(`console/data/runs?${query({ limit: 1, count: 0 })}`);
        if (rows.length) location.reload();
    } catch {
        // The next change tries again.
    }
};

let pause;
let mustCount = false;
window.apus.onChange((changes) => {
    const ours = changes.filter((change) => change === "*" || /^run\./.test(change));
    if (!ours.length) return;
    for (const change of ours) {
        const logged = /^run\.logged run\/(.*)/.exec(change);
        if (!logged) mustCount = true;
        for (const known of curves.values()) {
            for (const id of logged ? [logged[1]] : change === "*" ? known.keys() : []) if (known.has(id)) known.get(id).isFresh = false;
        }
    }
    // While many runs log, the table follows twice a second.
    pause ??= setTimeout(() => {
        pause = undefined;
        if (!host.contains(scroller)) return appear();
        refresh(mustCount);
        mustCount = false;
    }, Math.max(500, cost * 4));
});
