// What every page does: theme, times, copying, narrowing lists, the palette, toasts, and changes as they happen.

const root = document.documentElement;

// Other modules of the page find these here; modules run in the order of the document.
const apus = (window.apus = {});

// MARK: Toasts

apus.toast = (text, isBad = false) => {
    const toast = document.createElement("div");
    toast.className = isBad ? "toast toast-bad" : "toast";
    toast.textContent = text;
    document.getElementById("toasts").append(toast);
    setTimeout(() => toast.remove(), isBad ? 10_000 : 4_000);
};

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

document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    root.dataset.theme = theme;
    try {
        localStorage.setItem("apus-theme", theme);
    } catch {
        // The choice lasts as long as the page then.
    }
    dispatchEvent(new Event("apus-theme"));
});

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
    if (toast) apus.toast(toast.dataset.toast);
    if (event.target.closest("[data-skip]")) {
        event.preventDefault();
        document.getElementById("main").focus();
    }
    if (event.target.closest("[data-palette]")) openPalette();
});

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

// MARK: Palette

const palette = document.getElementById("palette");
const box = palette.querySelector("input");
const list = document.getElementById("palette-list");
let entries = [];
let chosen = 0;
let asked = 0;

const sections = [...document.querySelectorAll(".sections a")].map((link) => ({
    kind: "Page", title: link.textContent, link: link.getAttribute("href"),
}));

const showEntries = () => {
    list.replaceChildren(
        ...entries.map((entry, place) => {
            const item = document.createElement("li");
            item.id = `palette-${place}`;
            item.role = "option";
            item.ariaSelected = String(place === chosen);
            const kind = document.createElement("span");
            kind.className = "kind";
            kind.textContent = entry.kind;
            item.append(kind, ` ${entry.title}`);
            item.addEventListener("click", () => go(place));
            return item;
        }),
    );
    box.setAttribute("aria-activedescendant", entries.length ? `palette-${chosen}` : "");
    document.getElementById(`palette-${chosen}`)?.scrollIntoView({ block: "nearest" });
};

const find = async () => {
    const text = box.value.trim();
    const turn = ++asked;
    const matches = apus.matcher(text) ?? (() => true);
    entries = sections.filter((entry) => matches(entry.title));
    chosen = 0;
    showEntries();
    if (!text) return;
    const quoted = text.replaceAll(/['%\\]/g, "");
    const [found, models] = await Promise.allSettled([
        apus.ask(`console/data/find?text=${encodeURIComponent(text)}`),
        apus.ask(`ajax-api/2.0/mlflow/registered-models/search?max_results=8&filter=${encodeURIComponent(`name ILIKE '%${quoted}%'`)}`),
    ]);
    // An older answer must not replace a newer one.
    if (turn !== asked) return;
    entries = [
        ...entries,
        ...(found.value?.found ?? []),
        ...(models.value?.registered_models ?? []).map((model) => ({
            kind: "Model", title: model.name, link: `console/models/${encodeURIComponent(model.name)}`,
        })),
    ];
    showEntries();
};

const go = (place) => {
    const entry = entries[place];
    if (entry) location.href = new URL(entry.link, document.baseURI);
};

const openPalette = () => {
    box.value = "";
    box.ariaExpanded = "true";
    palette.showModal();
    box.focus();
    find();
};

let pause;
box.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(find, 80);
});
box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && entries.length) {
        event.preventDefault();
        chosen = (chosen + step + entries.length) % entries.length;
        showEntries();
    } else if (event.key === "Enter") {
        event.preventDefault();
        go(chosen);
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

// MARK: Aliases

document.querySelector("[data-alias-form]")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const name = form.dataset.aliasForm;
    const alias = form.elements.alias.value.trim();
    const version = form.elements.version.value;
    const now = document.getElementById("alias-now")?.content.querySelector(`[data-alias="${CSS.escape(alias)}"]`)?.textContent;
    if (now === version) return apus.toast(`@${alias} is version ${version} already.`);
    const effect = now ? `moves from version ${now} to version ${version}` : `begins with version ${version}`;
    if (!confirm(`@${alias} ${effect}. Whoever loads models:/${name}@${alias} gets version ${version} from now on.`)) return;
    try {
        await apus.ask("ajax-api/2.0/mlflow/registered-models/alias", {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ name, alias, version }),
        });
        location.reload();
    } catch (error) {
        apus.toast(error.message, true);
    }
});

// MARK: Changes as they happen

// Fetches the page again and puts in the parts that are alive; what a person does meanwhile stays.
let isRefreshing = false;
let mustRefresh = false;
const refresh = async (selector) => {
    if (isRefreshing) {
        mustRefresh = true;
        return;
    }
    isRefreshing = true;
    try {
        const response = await fetch(location.href, { headers: { Accept: "text/html" } });
        if (!response.ok) return;
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelectorAll(selector);
        const old = document.querySelectorAll(selector);
        if (fresh.length !== old.length) return location.reload();
        old.forEach((element, place) => {
            if (element.innerHTML === fresh[place].innerHTML) return;
            element.replaceChildren(...document.adoptNode(fresh[place]).childNodes);
            showTimes(element);
            for (const input of element.querySelectorAll("[data-narrow]")) input.dispatchEvent(new Event("input", { bubbles: true }));
        });
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

const alive = "[data-live], [data-live-metrics]";
const concerns = (element, change) => {
    if (change === "*") return true;
    if (element.dataset.liveMetrics) return change === `run.logged run/${element.dataset.liveMetrics}`;
    return element.dataset.live.split(",").some((prefix) => change.startsWith(prefix) && !change.startsWith("run.logged"));
};
apus.onChange((changes) => {
    const isConcerned = [...document.querySelectorAll(alive)].some((element) => changes.some((change) => concerns(element, change)));
    if (isConcerned) refresh(alive);
});

let source;
// What happens between the making of a page and its first connection is not told either.
let wasLost = true;
let wait = 1000;
const listen = () => {
    source = new EventSource(new URL("console/events", document.baseURI));
    source.onmessage = (event) => {
        const changes = JSON.parse(event.data);
        for (const listener of listeners) listener(changes);
    };
    source.onopen = () => {
        // Whatever happened meanwhile was not told.
        if (wasLost) for (const listener of listeners) listener(["*"]);
        wasLost = false;
        wait = 1000;
    };
    source.onerror = () => {
        wasLost = true;
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
        source?.close();
        source = undefined;
        wasLost = true;
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
