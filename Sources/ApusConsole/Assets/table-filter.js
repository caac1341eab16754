// The box of the filter: it completes fields, operators and values, and says where a filter is wrong.
// Its list is a listbox below a combobox: arrows choose, Enter and Tab take, Escape closes.

const { host, form, state, go, field, parts } = window.apus.runs;
const box = form.elements.filter;
const problem = document.getElementById("filter-problem");

// MARK: Where the mistake is

const explain = (mistake) => {
    box.setAttribute("aria-invalid", String(Boolean(mistake)));
    if (!mistake) return problem.replaceChildren();
    const alert = document.createElement("div");
    alert.className = "filter-error";
    alert.setAttribute("role", "alert");
    alert.append(mistake.message);
    if (mistake.from !== undefined) {
        // Offsets are UTF-16 code units, as JavaScript counts.
        const marked = document.createElement("span");
        marked.className = "filter-mark";
        marked.textContent = box.value.slice(mistake.from, mistake.to);
        const text = document.createElement("pre");
        text.append(box.value.slice(0, mistake.from), marked, box.value.slice(mistake.to));
        alert.append(text);
    }
    problem.replaceChildren(alert);
};

let turn = 0;
const check = async () => {
    const mine = ++turn;
    const answer = await window.apus.ask(`console/data/filter?${new URLSearchParams({ filter: box.value })}`);
    return mine === turn ? (answer.message ? answer : null) : undefined;
};

form.addEventListener("submit", async (event) => {
    event.preventDefault();
    close();
    // A check of what was typed would make this one look out of date.
    clearTimeout(pause);
    try {
        const mistake = await check();
        if (mistake === null) go({ filter: box.value.trim() });
        else if (mistake) explain(mistake);
    } catch (error) {
        window.apus.toast(error.message, true);
    }
});

// MARK: What may come next

const operators = {
    metrics: ["<", "<=", ">", ">=", "=", "!="],
    params: ["=", "!=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"],
    tags: ["=", "!=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"],
    text: ["=", "!=", "LIKE", "ILIKE", "IN"],
    list: ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"],
};
const attributes = { status: "text", run_name: "text", user_id: "text", artifact_uri: "text", run_id: "list", start_time: "metrics", end_time: "metrics" };
const kinds = { metric: "metrics", metrics: "metrics", param: "params", params: "params", parameter: "params", parameters: "params", tag: "tags", tags: "tags", attribute: "attributes", attributes: "attributes", attr: "attributes", run: "attributes" };

let fields;
const allFields = () =>
    (fields ??= window.apus.ask(`console/data/columns?experiment=${host.dataset.runs}`).then(
        (answer) => [...Object.keys(attributes).map((name) => `attributes.${name}`), ...answer.columns.map(field).filter(Boolean)],
        () => {
            fields = undefined;
            return [];
        },
    ));

const known = new Map();
const valuesOf = (name) => {
    if (name === "attributes.status") return ["FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED"];
    if (!known.has(name)) {
        const items = new URLSearchParams({ experiment: host.dataset.runs, field: name });
        known.set(name, window.apus.ask(`console/data/proposals?${items}`).then((answer) => answer.values, () => []));
    }
    return known.get(name);
};

// The words up to the caret: names with what is in backticks or quotes, operators, texts, parentheses.
const words = (text) =>
    [...text.matchAll(/(?:[\w.]|`[^`]*(?:`|$)|(?<=\.)"[^"]*(?:"|$))+|'(?:[^']|'')*(?:'|$)|"[^"]*(?:"|$)|[<>=!]+|[()]|[^\s]/g)].map((match) => ({ text: match[0], at: match.index }));

const isName = (text) => /^[a-z]+\./i.test(text) || text in attributes;
const isJoin = (text) => /^(and|or)$/i.test(text);
// The name as the server's list of values knows it.
const plain = (text) => {
    const [kind, key] = text.includes(".") ? parts(text) : ["attributes", text];
    return [kinds[kind.toLowerCase()], key.replace(/^[`"](.*)[`"]$/, "$1")];
};

// What the caret is in or behind: {from, options}; from is where the unfinished word begins.
const proposals = async (text) => {
    const found = words(text);
    const isOpen = found.length > 0 && !/\s$/.test(text);
    let last = isOpen ? found.pop() : undefined;
    // What is behind an operator without a blank is a word of its own.
    if (last && /^[<>=!]+$/.test(last.text) && found.length && isName(found.at(-1).text)) {
        const [kind] = plain(found.at(-1).text);
        if (kind !== "metrics" && last.text === "=") {
            found.push(last);
            last = undefined;
        }
    }
    const from = last ? last.at : text.length;
    const part = last?.text ?? "";
    const before = found.at(-1)?.text;
    const from_ = (options, note) => ({ from, part, options: options.map((option) => (typeof option === "string" ? { text: option, note } : option)) });
    if (before === undefined || isJoin(before) || before === "(") {
        if (found.length > 1 && before === "(" && /^in$/i.test(found.at(-2).text)) return from_([]);
        return from_(await allFields());
    }
    if (isName(before) && (found.length < 2 || isJoin(found.at(-2).text) || found.at(-2).text === "(")) {
        const [kind, key] = plain(before);
        return from_(operators[kind === "attributes" ? (attributes[key] ?? "text") : kind] ?? []);
    }
    const name = found.at(-2)?.text;
    if (name && isName(name) && /^([<>=!]+|like|ilike)$/i.test(before)) {
        const [kind, key] = plain(name);
        if (kind === undefined || kind === "metrics" || attributes[key] === "metrics") return from_([]);
        const all = await valuesOf(`${kind}.${key}`);
        // A text cannot hold the quotes that end it.
        return from_(all.map((value) => (value.includes("'") ? (value.includes('"') ? "" : `"${value}"`) : `'${value}'`)).filter(Boolean), "value");
    }
    return from_(/^(in|is|not)$/i.test(before) ? [] : ["AND", "OR"]);
};

// MARK: The list

const list = document.createElement("ul");
list.className = "completions";
list.id = "filter-completions";
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "Completions");
list.hidden = true;
const frame = document.createElement("div");
frame.className = "completed grow";
box.before(frame);
frame.append(box, list);
box.setAttribute("role", "combobox");
box.setAttribute("aria-autocomplete", "list");
box.setAttribute("aria-controls", list.id);
box.setAttribute("aria-expanded", "false");

let shown = [];
let place = -1;
let from = 0;
let asked = 0;

const close = () => {
    asked++;
    shown = [];
    list.hidden = true;
    list.replaceChildren();
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
};

const point = (to) => {
    place = to;
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === place)));
    if (place < 0) return box.removeAttribute("aria-activedescendant");
    box.setAttribute("aria-activedescendant", `filter-completion-${place}`);
    list.children[place].scrollIntoView({ block: "nearest" });
};

const take = (index) => {
    const option = shown[index].text;
    const rest = box.value.slice(box.selectionStart);
    const start = `${box.value.slice(0, from)}${option} `;
    box.value = start + rest.replace(/^[\w.`'"]*\s*/, "");
    box.setSelectionRange(start.length, start.length);
    complete();
};

const complete = async () => {
    const mine = ++asked;
    const text = box.value.slice(0, box.selectionStart);
    const found = await proposals(text);
    if (mine !== asked || document.activeElement !== box) return;
    const wanted = found.part.toLowerCase().replaceAll(/[`'"]/g, "");
    const rank = (option) => option.text.toLowerCase().replaceAll(/[`'"]/g, "").indexOf(wanted);
    // What begins so comes first; what is there already is no proposal.
    shown = found.options
        .filter((option) => rank(option) >= 0 && option.text !== found.part)
        .sort((a, b) => (rank(a) > 0) - (rank(b) > 0))
        .slice(0, 50);
    from = found.from;
    if (!shown.length) return close();
    list.replaceChildren(
        ...shown.map((option, index) => {
            const item = document.createElement("li");
            item.id = `filter-completion-${index}`;
            item.setAttribute("role", "option");
            item.textContent = option.text;
            item.title = option.text;
            // Not a click: the box must keep the focus.
            item.addEventListener("mousedown", (event) => {
                event.preventDefault();
                take(index);
            });
            return item;
        }),
    );
    list.hidden = false;
    box.setAttribute("aria-expanded", "true");
    // What is whole already is not replaced by an Enter that means the search.
    const isWhole = /^(['"]).*\1$/.test(found.part) || found.options.some((option) => option.text === found.part);
    point(found.part && !isWhole ? 0 : -1);
};

let pause;
box.addEventListener("input", () => {
    complete();
    clearTimeout(pause);
    // Half a comparison is no mistake yet: it is told once the person rests, and taken back at once.
    pause = setTimeout(async () => {
        try {
            const mistake = await check();
            if (mistake !== undefined && (mistake === null || list.hidden)) explain(mistake);
        } catch {
            // The search itself will tell.
        }
    }, 600);
});
box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && list.hidden) {
        event.preventDefault();
        return complete();
    }
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
        event.preventDefault();
        point((place + step + shown.length) % shown.length);
    } else if ((event.key === "Enter" || event.key === "Tab") && place >= 0 && !event.shiftKey) {
        event.preventDefault();
        take(place);
    } else if (event.key === "Escape") {
        event.preventDefault();
        close();
    }
});
box.addEventListener("focus", () => box.value === "" && complete());
box.addEventListener("blur", close);
