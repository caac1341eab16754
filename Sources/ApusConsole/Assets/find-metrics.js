// Finds metrics of a run that has more of them than its page shows: the server is asked for those that match.

const apus = window.apus;
const LIMIT = 100;
// The rows that came with the page, by their table; a page that is put in anew brings new ones.
const served = new WeakMap();

const row = (run, key, value) => {
    const link = apus.make("a", {
        className: "number", href: `console/runs/${encodeURIComponent(run)}/charts?${new URLSearchParams({ key })}`,
    }, apus.make("span", { textContent: apus.short(value), title: String(value) }));
    const head = apus.make("th", { scope: "row", textContent: key });
    return apus.make("tr", {}, head, apus.make("td", {}, link));
};

const number = (value) => (typeof value === "string" ? Number(value) : value);

let turn = 0;
const find = async (box) => {
    const mine = ++turn;
    const run = box.dataset.findMetrics;
    const body = box.parentElement.querySelector("tbody");
    const note = box.parentElement.querySelector("[data-found]");
    if (!served.has(body)) served.set(body, [...body.children]);
    const text = box.value.trim();
    const matches = apus.matcher(text);
    box.setAttribute("aria-invalid", String(matches === null));
    if (!matches) return;
    if (!text) {
        body.replaceChildren(...served.get(body));
        note.textContent = "";
        return;
    }
    try {
        const items = new URLSearchParams({ kind: "metrics", run });
        // Only the browser knows its regular expressions.
        if (!text.startsWith("/")) items.set("text", text);
        const { keys } = await apus.ask(`console/data/keys?${items}`);
        const found = keys.filter((key) => matches(key) && !key.startsWith("system/"));
        const shown = found.slice(0, LIMIT);
        const columns = shown.map((key) => `metrics.${key}`).join("\n");
        const values = shown.length ? (await apus.ask(`console/data/values?${new URLSearchParams({ run, columns })}`)).columns : [];
        if (mine !== turn) return;
        body.replaceChildren(...shown.map((key, place) => row(run, key, number(values[place]?.values[0] ?? null))));
        note.textContent = found.length > LIMIT ? `The first ${LIMIT} of ${found.length.toLocaleString("en")} that match.` : `${found.length} found.`;
    } catch (error) {
        if (mine === turn) note.textContent = error.message;
    }
};

let pause;
document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-find-metrics]")) return;
    clearTimeout(pause);
    pause = setTimeout(() => find(event.target), 120);
});
