// What every page does: theme, times, copying, narrowing lists, the palette, keys, toasts, and changes as they happen.

const root = document.documentElement;

// Other modules of the page find these here; modules run in the order of the document.
const apus = (window.apus = {});

// MARK: Elements

// An element with properties and content; texts stay texts.
apus.make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
};

// A sign, by its name in Icon.swift.
apus.icon = (name) => {
    const vector = "http://www.w3.org/2000/svg";
    const sign = document.createElementNS(vector, "svg");
    sign.setAttribute("class", "icon");
    sign.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(vector, "use");
    use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
    sign.append(use);
    return sign;
};

// Loads a library once, when it is needed first; it puts itself at `name`.
const libraries = new Map();
apus.library = (address, name) => {
    if (!libraries.has(address)) {
        libraries.set(address, new Promise((resolve, reject) => {
            const script = apus.make("script", { src: new URL(address, document.baseURI) });
            script.onload = () => (window[name] ? resolve(window[name]) : reject(new Error(`${name} is not part of this build.`)));
            script.onerror = () => reject(new Error(`${name} could not be loaded.`));
            document.head.append(script);
        }));
    }
    return libraries.get(address);
};

// MARK: Toasts

// An error stays until it is closed; the rest goes by itself, but not below a pointer. An action is `{text, act}`: a
// button that does something about it, such as undoing.
apus.toast = (text, isBad = false, action = undefined) => {
    const close = apus.make("button", { type: "button", className: "icon-button", ariaLabel: "Close", title: "Close" }, apus.icon("x-lg"));
    const toast = apus.make("div", { className: isBad ? "toast toast-bad" : "toast" }, apus.make("span", { textContent: text }), close);
    if (isBad) toast.role = "alert";
    if (action) {
        const button = apus.make("button", { type: "button", className: "button button-quiet", textContent: action.text });
        button.addEventListener("click", () => {
            toast.remove();
            action.act();
        });
        close.before(button);
    }
    close.addEventListener("click", () => toast.remove());
    const host = document.getElementById("toasts");
    // What lies behind an open dialog can be neither seen nor closed.
    (document.querySelector("dialog[open]:last-of-type") ?? document.body).append(host);
    host.append(toast);
    while (host.children.length > 4) host.firstElementChild.remove();
    if (isBad) return;
    const end = () => (toast.matches(":hover, :focus-within") ? setTimeout(end, 1_000) : toast.remove());
    setTimeout(end, action ? 10_000 : 4_000);
};

// A closed dialog hides what is in it.
document.addEventListener("close", (event) => {
    const host = document.getElementById("toasts");
    if (event.target.contains(host)) document.body.append(host);
}, true);

// Asks the server for JSON; an error of the server becomes an Error with its message.
apus.ask = async (path, options = {}) => {
    const response = await fetch(new URL(path, document.baseURI), options);
    const text = await response.text();
    let answer;
    try {
        answer = text ? JSON.parse(text) : {};
    } catch {
        answer = {};
    }
    if (!response.ok) throw new Error(answer.message ?? `The server answered ${response.status}.`);
    return answer;
};

// MARK: Theme

const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
apus.isDark = isDark;

const themeSwitch = document.querySelector(".topbar [data-theme-switch]");
const nameTheme = () => {
    themeSwitch.title = themeSwitch.ariaLabel = `Switch to ${isDark() ? "light" : "dark"} theme`;
};
// A choice that is the system's own is none: the page follows the system again.
const switchTheme = () => {
    const theme = isDark() ? "light" : "dark";
    const isSystems = matchMedia("(prefers-color-scheme: dark)").matches === (theme === "dark");
    if (isSystems) delete root.dataset.theme;
    else root.dataset.theme = theme;
    try {
        if (isSystems) localStorage.removeItem("apus-theme");
        else localStorage.setItem("apus-theme", theme);
    } catch {
        // The choice lasts as long as the page then.
    }
    nameTheme();
    dispatchEvent(new Event("apus-theme"));
};
for (const button of document.querySelectorAll("[data-theme-switch]")) button.addEventListener("click", switchTheme);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
nameTheme();

// MARK: Times

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const units = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

apus.ago = (milliseconds) => {
    const seconds = (milliseconds - Date.now()) / 1000;
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? units.at(-1);
    return relative.format(Math.round(seconds / size), unit);
};

apus.span = (milliseconds) => {
    if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
    let seconds = Math.floor(milliseconds / 1000);
    const parts = [];
    for (const [name, size] of [["d", 86_400], ["h", 3_600], ["m", 60], ["s", 1]]) {
        if (seconds >= size) parts.push(`${Math.floor(seconds / size)} ${name}`);
        seconds %= size;
    }
    return parts.slice(0, 2).join(" ");
};

const showTimes = (scope = document) => {
    for (const element of scope.querySelectorAll("time[data-ms]")) element.textContent = apus.ago(Number(element.dataset.ms));
    for (const element of scope.querySelectorAll("[data-since]")) {
        element.textContent = apus.span(Date.now() - Number(element.dataset.since));
    }
};
showTimes();
setInterval(showTimes, 1000);

// MARK: Copying and narrowing

document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
        try {
            await navigator.clipboard.writeText(button.dataset.copy);
            apus.toast("Copied.");
        } catch {
            apus.toast("The browser did not allow copying.", true);
        }
    }
    const toast = event.target.closest("[data-toast]");
    if (toast) apus.toast(toast.dataset.toast, "isBad" in toast.dataset);
    if (event.target.closest("[data-skip]")) {
        event.preventDefault();
        document.getElementById("main").focus();
    }
    if (event.target.closest("[data-palette]")) openPalette();
    if (event.target.closest("[data-keys]")) openKeys();
    // A dialog that stands in the page, by its id.
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
});

// A metric's value, as pages of the server show it.
apus.short = (value) => {
    if (value === null || value === undefined) return "–";
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
    const size = Math.abs(value);
    return size !== 0 && (size >= 1e15 || size < 1e-4) ? value.toExponential(5).replace(/\.?0+e/, "e") : String(Number(value.toPrecision(6)));
};

// A text, or a regular expression between slashes; null while that is not finished.
apus.matcher = (text) => {
    const pattern = /^\/(.*)\/([a-z]*)$/.exec(text);
    if (pattern) {
        try {
            const expression = new RegExp(pattern[1], pattern[2].includes("i") ? "i" : "");
            return (name) => expression.test(name);
        } catch {
            return null;
        }
    }
    const wanted = text.toLowerCase();
    return (name) => name.toLowerCase().includes(wanted);
};

document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-narrow]")) return;
    const matches = apus.matcher(event.target.value);
    event.target.setAttribute("aria-invalid", String(matches === null));
    if (!matches) return;
    for (const row of event.target.parentElement.querySelectorAll("tr[data-name]")) row.hidden = !matches(row.dataset.name);
});

// MARK: Pages that were seen

const RECENT = "apus-recent";
const recent = () => {
    try {
        const found = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
        const base = new URL(document.baseURI);
        return found.filter((entry) => typeof entry?.title === "string" && typeof entry.link === "string" && new URL(entry.link, base).href.startsWith(base.href));
    } catch {
        return [];
    }
};

const noteVisit = () => {
    const kind = document.querySelector(".heading .kind")?.textContent;
    const title = document.querySelector(".heading h1")?.textContent;
    // Pages of things; the others are in the navigation.
    if (!kind || !title || document.querySelector("main .empty-error[role=alert]")) return;
    const link = location.pathname.slice(new URL(document.baseURI).pathname.length);
    try {
        localStorage.setItem(RECENT, JSON.stringify([{ kind, title, link }, ...recent().filter((entry) => entry.link !== link)].slice(0, 8)));
    } catch {
        // Nothing is remembered then.
    }
};

// MARK: Palette

const palette = document.getElementById("palette");
const box = palette.querySelector("input");
const list = document.getElementById("palette-list");
const state = document.getElementById("palette-state");
let entries = [];
let chosen = 0;
let asked = 0;

const sections = [...document.querySelectorAll(".sections a, [data-place]")].map((link) => ({
    kind: "Page", title: link.textContent, link: link.getAttribute("href"),
}));

const showEntries = (isDone) => {
    list.replaceChildren(
        ...entries.map((entry, place) => {
            const kind = apus.make("span", { className: "kind", textContent: entry.kind });
            const item = apus.make("li", { id: `palette-${place}`, role: "option", ariaSelected: String(place === chosen), title: entry.title }, kind, " ", apus.make("span", { className: "clip", textContent: entry.title }));
            item.addEventListener("click", (event) => go(place, event.ctrlKey || event.metaKey));
            return item;
        }),
    );
    box.ariaExpanded = String(entries.length > 0);
    if (entries.length) box.setAttribute("aria-activedescendant", `palette-${chosen}`);
    else box.removeAttribute("aria-activedescendant");
    state.textContent = entries.length ? `${entries.length} ${entries.length === 1 ? "place" : "places"}` : isDone ? "Nothing is called so." : "Looking…";
    state.classList.toggle("sr-only", entries.length > 0);
    document.getElementById(`palette-${chosen}`)?.scrollIntoView({ block: "nearest" });
};

const find = async () => {
    const text = box.value.trim();
    const turn = ++asked;
    const matches = apus.matcher(text) ?? (() => true);
    const seen = recent().filter((entry) => matches(entry.title)).map((entry) => ({ ...entry, kind: entry.kind || "Page" }));
    const near = [...(text ? [] : seen), ...sections.filter((entry) => matches(entry.title)), ...(text ? seen.slice(0, 3) : [])];
    entries = near;
    chosen = 0;
    showEntries(!text);
    if (!text) return;
    // What ends a text or stands for many signs in a filter is asked for as any one sign, and compared here.
    const pattern = text.replaceAll(/['"`%\\]/g, "_");
    const [found, datasets, models] = await Promise.allSettled([
        apus.ask(`console/data/find?text=${encodeURIComponent(text)}`),
        apus.ask(`ajax-api/v1/datasets?limit=8&name_contains=${encodeURIComponent(text)}`),
        apus.ask(`ajax-api/2.0/mlflow/registered-models/search?max_results=20&filter=${encodeURIComponent(`name ILIKE '%${pattern}%'`)}`),
    ]);
    // An older answer must not replace a newer one.
    if (turn !== asked) return;
    const wanted = text.toLowerCase();
    const all = [
        ...near,
        ...(found.value?.found ?? []),
        ...(datasets.value?.datasets ?? []).map(({ name }) => ({ kind: "Dataset", title: name, link: `console/datasets/${encodeURIComponent(name)}` })),
        ...(models.value?.registered_models ?? []).filter((model) => model.name.toLowerCase().includes(wanted)).slice(0, 8).map((model) => ({
            kind: "Model", title: model.name, link: `console/models/${encodeURIComponent(model.name)}`,
        })),
    ];
    entries = all.filter((entry, place) => all.findIndex((other) => other.link === entry.link) === place);
    chosen = Math.min(chosen, Math.max(0, entries.length - 1));
    showEntries(true);
};

const go = (place, isAside = false) => {
    const entry = entries[place];
    if (!entry) return;
    const target = new URL(entry.link, document.baseURI);
    if (isAside) open(target, "_blank", "noopener");
    else location.href = target;
};

const openPalette = () => {
    if (palette.open) return;
    box.value = "";
    palette.showModal();
    box.focus();
    find();
};
palette.addEventListener("close", () => (box.ariaExpanded = "false"));

let pause;
box.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(find, 80);
});
box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step && entries.length) {
        event.preventDefault();
        const next = chosen + step;
        chosen = Math.abs(step) === 1 ? (next + entries.length) % entries.length : Math.min(Math.max(next, 0), entries.length - 1);
        showEntries(true);
    } else if (event.key === "Enter") {
        event.preventDefault();
        go(chosen, event.ctrlKey || event.metaKey);
    }
});
palette.addEventListener("click", (event) => {
    if (event.target === palette) palette.close();
});
document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        if (palette.open) palette.close();
        else openPalette();
    }
});

// MARK: Keys

const shortcuts = [];
// A key, or two of them one after the other as in "g h", what it does in words, and the act. Pages add their own.
apus.shortcut = (keys, words, act) => shortcuts.push({ keys, words, act });

for (const link of document.querySelectorAll(".sections a")) {
    const title = link.textContent;
    // Of two that begin alike the later one takes its next letter: "g e" and "g n".
    const letter = [...title.toLowerCase()].find((sign) => !shortcuts.some(({ keys }) => keys === `g ${sign}`));
    apus.shortcut(`g ${letter}`, `Go to ${title}`, () => link.click());
}
apus.shortcut("/", "Go to the search or filter of the page", () => document.querySelector("main input[type=search]")?.focus());
apus.shortcut("t", "Switch the theme", () => themeSwitch.click());
apus.shortcut("?", "Show these keys", () => openKeys());

const keys = document.getElementById("keys");
const openKeys = () => {
    if (keys.open) return;
    const rows = [{ keys: navigator.platform.startsWith("Mac") ? "⌘ K" : "Ctrl K", words: "Jump to an experiment, run, dataset, model or page" }, ...shortcuts];
    keys.querySelector("dl").replaceChildren(...rows.flatMap(({ keys, words }) => [
        apus.make("dt", {}, ...keys.split(" ").flatMap((key, place) => [...(place ? [" "] : []), apus.make("kbd", { textContent: key })])),
        apus.make("dd", { textContent: words }),
    ]));
    keys.showModal();
};

let prefix = "";
let prefixAt = 0;
document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
    // Letters that a person writes, and those that a list takes for names, are no commands.
    if (event.target.closest?.("input, textarea, select, [contenteditable], [role=tree], [role=grid]") || document.querySelector("dialog[open]")) return;
    const pair = event.timeStamp - prefixAt < 1_500 ? `${prefix} ${event.key}` : event.key;
    const shortcut = shortcuts.find(({ keys }) => keys === pair) ?? shortcuts.find(({ keys }) => keys === event.key);
    prefix = "";
    if (shortcut) {
        event.preventDefault();
        shortcut.act();
    } else if (shortcuts.some(({ keys }) => keys.startsWith(`${event.key} `))) {
        prefix = event.key;
        prefixAt = event.timeStamp;
    }
});

noteVisit();

// MARK: Changes as they happen

// Fetches the page again and puts in the parts that are alive; what a person does meanwhile stays.
let isRefreshing = false;
let mustRefresh = false;
const isHeld = (element) => element.querySelector("[data-editing]") !== null;
const name = (control) => control?.ariaLabel || control?.textContent;
// The controls that are called as the one that has the focus: these are the same before and after.
const twins = (element, called) => [...element.querySelectorAll("a, button, input, select, summary")].filter((other) => name(other) === called);

// What a person did to a part, by the place of each piece: what it was, and how it becomes that again.
const kept = [
    ["[data-narrow], [data-find-metrics]", (box) => box.value, (box, text) => {
        box.value = text;
        box.dispatchEvent(new Event("input", { bubbles: true }));
    }],
    ["details", (box) => box.open, (box, open) => (box.open = open)],
    [".table-wrap", (box) => box.scrollTop, (box, top) => (box.scrollTop = top)],
];

const renew = (element, fresh) => {
    // The times as they were served: what only grew older is the same.
    for (const time of element.querySelectorAll("time[data-ms]")) time.textContent = time.title;
    const isSame = element.innerHTML === fresh.innerHTML;
    showTimes(element);
    if (isSame) return;
    // An editor that is open stays; it asks again when it is closed.
    if (isHeld(element)) return dispatchEvent(new CustomEvent("apus-held", { detail: fresh }));
    const called = name(document.activeElement);
    const focused = twins(element, called).indexOf(document.activeElement);
    const before = kept.map(([selector, read]) => [...element.querySelectorAll(selector)].map(read));
    element.replaceChildren(...document.adoptNode(fresh).childNodes);
    showTimes(element);
    kept.forEach(([selector, , write], kind) => {
        element.querySelectorAll(selector).forEach((box, place) => place in before[kind] && write(box, before[kind][place]));
    });
    if (focused >= 0) twins(element, called)[focused]?.focus();
};

const refresh = async (selector) => {
    if (apus.isLeaving) return;
    if (isRefreshing) {
        mustRefresh = true;
        return;
    }
    isRefreshing = true;
    try {
        const response = await fetch(location.href, { headers: { Accept: "text/html" } });
        if (!response.ok) return;
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const fresh = page.querySelectorAll(selector);
        const old = document.querySelectorAll(selector);
        if (fresh.length !== old.length) {
            // What is being entered would be lost.
            if (!document.querySelector("[data-editing], dialog[open]")) location.reload();
            return;
        }
        document.title = page.title;
        old.forEach((element, place) => renew(element, fresh[place]));
    } finally {
        isRefreshing = false;
        if (mustRefresh) {
            mustRefresh = false;
            setTimeout(() => refresh(selector), 300);
        }
    }
};

const listeners = [];
// Calls back with the list of changes; each is an action and a subject, such as "run.created run/0123".
apus.onChange = (listener) => listeners.push(listener);

const alive = "[data-live], [data-live-run], .crumbs";
apus.refresh = () => refresh(alive);
const concerns = (element, change) => {
    if (element.dataset.liveRun) return change === "*" || change.endsWith(` run/${element.dataset.liveRun}`);
    if (!element.dataset.live) return false;
    if (change === "*") return true;
    return element.dataset.live.split(",").some((prefix) => change.startsWith(prefix) && !change.startsWith("run.logged"));
};
apus.onChange((changes) => {
    const isConcerned = [...document.querySelectorAll(alive)].some((element) => changes.some((change) => concerns(element, change)));
    if (isConcerned) refresh(alive);
});

// Shown when changes have not come for a while, which a short break does not.
const connection = document.getElementById("connection");
let saying;
const sayLost = (isLost) => {
    if (!isLost) {
        clearTimeout(saying);
        saying = undefined;
        connection.hidden = true;
    } else saying ??= setTimeout(() => (connection.hidden = document.hidden), 2_000);
};

// Parts that change without events are fetched every so many seconds, unless a person is in them.
for (const element of document.querySelectorAll("[data-refresh]")) {
    setInterval(() => {
        const selection = getSelection();
        const isHeld = element.contains(document.activeElement) || (!selection.isCollapsed && element.contains(selection.anchorNode));
        if (!document.hidden && !isHeld) refresh("[data-refresh]");
    }, Math.max(1, Number(element.dataset.refresh)) * 1000);
}

let source;
// Where the feed of changes was when the page was made, and later when it told of the last ones.
let place = document.body.dataset.feed;
let wait = 1000;
const listen = () => {
    source = new EventSource(new URL(`console/events?after=${encodeURIComponent(place)}`, document.baseURI));
    source.onmessage = (event) => {
        place = event.lastEventId;
        const changes = JSON.parse(event.data);
        for (const listener of listeners) listener(changes);
    };
    source.onopen = () => {
        sayLost(false);
        wait = 1000;
    };
    source.onerror = () => {
        sayLost(true);
        // The browser would try again every second; a server that is away for long is asked ever more rarely.
        source?.close();
        source = undefined;
        setTimeout(follow, wait);
        wait = Math.min(wait * 2, 30_000);
    };
};
// A browser opens six connections to a server, for all of its tabs together: those that nobody sees hold none.
const follow = () => {
    if (document.hidden) {
        sayLost(false);
        source?.close();
        source = undefined;
    } else if (!source) listen();
};
document.addEventListener("visibilitychange", follow);
addEventListener("pagehide", () => source?.close());
follow();

// MARK: Addresses of MLflow's own UI, which its client prints

const old = /^#\/experiments\/(\d+)(?:\/runs\/([0-9a-f]+))?|^#\/models\/([^/]+)(?:\/versions\/(\d+))?/.exec(location.hash);
if (old) {
    const [, experiment, run, model, version] = old;
    const path = run ? `console/runs/${run}`
        : experiment ? `console/experiments/${experiment}`
        : `console/models/${model}${version ? `/versions/${version}` : ""}`;
    location.replace(new URL(path, document.baseURI));
}
