// The columns of the table of runs: which there are, their order, which stay in view; and views under a name.

const { host, state, setColumns, redraw, sort, go, isGrouped, announce, make, button } = window.apus.runs;

// MARK: The menu of a column

const menu = make("div", { className: "column-actions", popover: "auto" });
menu.setAttribute("role", "menu");
document.body.append(menu);

const moved = (name, step) => {
    // Pinned columns and others are two rows of their own.
    const side = state.columns.filter((other) => state.pinned.has(other) === state.pinned.has(name));
    const next = side[side.indexOf(name) + step];
    if (next === undefined) return undefined;
    const rest = state.columns.filter((other) => other !== name);
    rest.splice(rest.indexOf(next) + (step > 0 ? 1 : 0), 0, name);
    return rest;
};
const flip = (set, name) => (set.has(name) ? set.delete(name) : set.add(name));

window.apus.runs.menu = (column, anchor) => {
    const name = column.name;
    const entries = [];
    const entry = (text, act) => entries.push([text, act]);
    if (column.order) {
        entry("Sort ascending", () => sort(column, "ASC"));
        entry("Sort descending", () => sort(column, "DESC"));
    }
    if (!isGrouped) {
        entry(state.pinned.has(name) ? "Unpin" : "Pin", () => (flip(state.pinned, name), redraw()));
        if (name.startsWith("metrics.")) {
            entry(state.curves.has(name) ? "Hide curve" : "Show curve", () => (flip(state.curves, name), redraw()));
        }
    }
    for (const [text, step] of [["Move left", -1], ["Move right", 1]]) {
        const order = moved(name, step);
        if (order) entry(text, () => (setColumns(order), announce(`${column.title} moved.`)));
    }
    if (!name.startsWith("metrics.")) entry("Group by this", () => go({ rows: name }));
    entry("Hide", () => setColumns(state.columns.filter((other) => other !== name)));
    menu.setAttribute("aria-label", name);
    menu.replaceChildren(
        ...entries.map(([text, act]) => {
            const item = button(text, "", () => {
                menu.hidePopover();
                act();
            });
            item.setAttribute("role", "menuitem");
            return item;
        }),
    );
    const place = anchor.getBoundingClientRect();
    menu.showPopover();
    menu.style.left = `${Math.max(8, Math.min(place.left, innerWidth - menu.offsetWidth - 8))}px`;
    menu.style.top = `${Math.min(place.bottom, innerHeight - menu.offsetHeight - 8)}px`;
    menu.firstElementChild.focus();
};
menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Tab") menu.hidePopover();
    if (to === undefined) return;
    event.preventDefault();
    items.at(to % items.length).focus();
});
menu.addEventListener("toggle", (event) => {
    // A click elsewhere took the focus there.
    const isFree = document.activeElement === document.body || menu.contains(document.activeElement);
    if (event.newState === "closed" && isFree) host.querySelector(".vtable")?.focus({ preventScroll: true });
});

// MARK: The dialog of all columns

const dialog = make("dialog", { className: "palette columns" });
dialog.setAttribute("aria-label", "Columns");
document.body.append(dialog);

const openColumns = async () => {
    let all;
    try {
        all = (await window.apus.ask(`console/data/columns?experiment=${host.dataset.runs}`)).columns;
    } catch (error) {
        return window.apus.toast(error.message, true);
    }
    // Columns that the newest runs lack are still there to be taken away.
    all = [...new Set([...all, ...state.columns])];
    let chosen = [...state.columns];
    const pins = new Set(state.pinned);
    const box = make("input", { type: "search", placeholder: "Find columns, text or /regular expression/" });
    box.setAttribute("aria-label", "Find columns");
    const shown = make("ul");
    shown.setAttribute("aria-label", "Shown columns, in their order");
    const others = make("ul");
    others.setAttribute("aria-label", "Other columns");
    const count = make("p", { className: "muted column-count" });

    const row = (name, isChosen) => {
        const tick = make("input", { type: "checkbox", checked: isChosen });
        tick.addEventListener("change", () => {
            chosen = tick.checked ? [...chosen, name] : chosen.filter((other) => other !== name);
            draw(name);
        });
        const item = make("li", {}, make("label", { title: name }, tick, make("span", { className: "clip", textContent: name })));
        item.dataset.column = name;
        if (!isChosen) return item;
        const step = (by) => () => {
            const at = chosen.indexOf(name);
            const to = Math.max(0, Math.min(chosen.length - 1, at + by));
            chosen.splice(at, 1);
            chosen.splice(to, 0, name);
            draw(name, by < 0 ? "up" : "down");
        };
        const pin = button("Pin", "button button-quiet", () => (flip(pins, name), draw(name, "pin")), `Pin ${name}`);
        pin.setAttribute("aria-pressed", String(pins.has(name)));
        const parts = [[pin, "pin"], [button("↑", "icon-button", step(-1), `Move ${name} up`), "up"], [button("↓", "icon-button", step(1), `Move ${name} down`), "down"]];
        for (const [part, act] of parts) part.dataset.act = act;
        item.append(...parts.map(([part]) => part));
        return item;
    };
    const draw = (focused, act) => {
        const matches = window.apus.matcher(box.value);
        box.setAttribute("aria-invalid", String(matches === null));
        if (!matches) return;
        const set = new Set(chosen);
        const found = all.filter((name) => !set.has(name) && matches(name));
        shown.replaceChildren(...chosen.filter(matches).map((name) => row(name, true)));
        others.replaceChildren(...found.slice(0, 500).map((name) => row(name, false)));
        count.textContent = `${chosen.length} of ${all.length} shown${found.length > 500 ? "; the first 500 others are listed" : ""}`;
        // What was pressed is there again, under the same hand.
        const item = [...dialog.querySelectorAll("li")].find((item) => item.dataset.column === focused);
        item?.querySelector(act ? `[data-act=${act}]` : "input")?.focus();
    };
    const actions = make(
        "div",
        { className: "actions" },
        count,
        button("Show all found", "button", () => {
            const matches = window.apus.matcher(box.value);
            if (matches) chosen = [...new Set([...chosen, ...all.filter(matches)])].slice(0, 500);
            draw();
        }),
        button("Hide all found", "button", () => {
            const matches = window.apus.matcher(box.value);
            if (matches) chosen = chosen.filter((name) => !matches(name));
            draw();
        }),
        button("Apply", "button button-primary", () => {
            dialog.close();
            state.pinned.clear();
            for (const name of pins) state.pinned.add(name);
            setColumns(chosen);
        }),
    );
    box.addEventListener("input", () => draw());
    dialog.replaceChildren(box, make("div", { className: "column-lists" }, shown, others), actions);
    draw();
    dialog.showModal();
    box.focus();
};
document.querySelector("[data-columns]")?.addEventListener("click", openColumns);

// MARK: Views

const views = document.querySelector("[data-views]");
const post = (path, body) =>
    window.apus.ask(`ajax-api/2.0/mlflow/experiments/${path}`, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ experiment_id: host.dataset.runs, ...body }),
    });

views.querySelector("[data-keep]").addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = event.target.elements.name.value.trim();
    if (!name) return;
    try {
        // A view says all of its columns, so that it looks the same whenever it is opened.
        const url = window.apus.runs.address({ isChosen: true });
        await post("set-experiment-tag", { key: `apus.view.${name}`, value: url.search.slice(1) });
        location.assign(url);
    } catch (error) {
        window.apus.toast(error.message, true);
    }
});
views.addEventListener("click", async (event) => {
    const name = event.target.closest("[data-forget]")?.dataset.forget;
    if (name === undefined || !confirm(`Remove the view “${name}” for everyone?`)) return;
    try {
        await post("delete-experiment-tag", { key: `apus.view.${name}` });
        event.target.closest(".menu-item").remove();
    } catch (error) {
        window.apus.toast(error.message, true);
    }
});
document.addEventListener("click", (event) => {
    if (!views.contains(event.target)) views.open = false;
});
views.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    views.open = false;
    views.querySelector("summary").focus();
});
