// The form that asks an endpoint: its fields become a request of the chosen protocol, which is shown before it is sent.

const apus = window.apus;
const { make } = apus;
const form = document.getElementById("attempt");
const plan = JSON.parse(form.dataset.plan);
const preview = form.querySelector("[data-request]");
const answer = document.getElementById("answer");
const send = form.querySelector("button:not([type=button])");
const fields = () => [...form.querySelectorAll("[data-field]")];
const protocol = () => form.elements.protocol?.value ?? plan.protocols[0];

// MARK: From fields to a request

class Wrong extends Error {
    constructor(field, text) {
        super(text);
        this.field = field;
    }
}

const WHOLE = /^-?\d+$/;

// One value of a type, or several divided by commas or in brackets; whole numbers keep all their digits.
const scalar = (text, kind, field) => {
    if (kind === "text") return JSON.stringify(text);
    if (kind === "bool") {
        const word = text.trim().toLowerCase();
        if (["true", "1", "yes"].includes(word)) return "true";
        if (["false", "0", "no"].includes(word)) return "false";
        throw new Wrong(field, `“${text}” is neither true nor false.`);
    }
    const number = text.trim();
    if (kind === "whole") {
        if (!WHOLE.test(number)) throw new Wrong(field, `“${text}” is no whole number.`);
        return number.replace(/^(-?)0+(?=\d)/, "$1");
    }
    if (number === "" || !Number.isFinite(Number(number))) throw new Wrong(field, `“${text}” is no number.`);
    return String(Number(number));
};

const list = (field) => {
    const { kind } = field.dataset;
    const text = field.value.trim();
    if (kind === "body") {
        try {
            JSON.parse(text);
        } catch {
            throw new Wrong(field, "This is no JSON.");
        }
        return [text];
    }
    if (kind === "text" && field.dataset.count === "1") return [JSON.stringify(field.value)];
    const parts = kind === "text" ? field.value.split("\n") : text.replaceAll(/[[\]]/g, " ").split(/[\s,;]+/).filter(Boolean);
    if (kind === "text") return parts.map((part) => JSON.stringify(part));
    return parts.map((part) => scalar(part, kind, field));
};

// The shape with its one free dimension filled by what was entered.
const shapeOf = (field, count) => {
    const declared = JSON.parse(field.dataset.shape);
    const fixed = declared.filter((size) => size >= 0).reduce((product, size) => product * size, 1);
    const free = declared.filter((size) => size < 0).length;
    if (!declared.length) {
        if (count !== 1) throw new Wrong(field, "One value is wanted.");
        return [];
    }
    if (!free) {
        if (count !== fixed) throw new Wrong(field, `${fixed} values are wanted, and there are ${count}.`);
        return declared;
    }
    if (!count || count % fixed) throw new Wrong(field, fixed === 1 ? "A value is wanted." : `The number of values must be a multiple of ${fixed}, and there are ${count}.`);
    let rest = count / fixed;
    // Of several free dimensions the last ones are 1.
    return declared.map((size) => {
        if (size >= 0) return size;
        const filled = rest;
        rest = 1;
        return filled;
    });
};

const nested = (values, shape) => {
    if (shape.length < 2) return `[${values.join(", ")}]`;
    const [, ...inner] = shape;
    const size = inner.reduce((product, length) => product * length, 1);
    const rows = [];
    for (let at = 0; at < values.length; at += size) rows.push(nested(values.slice(at, at + size), inner));
    return `[${rows.join(", ")}]`;
};

const filled = () => fields().filter((field) => field.dataset.required !== undefined || field.value.trim() !== "");

const builders = {
    v2: () => {
        const inputs = filled().map((field) => {
            const values = list(field);
            const shape = shapeOf(field, values.length);
            return `    {"name": ${JSON.stringify(field.dataset.field)}, "shape": ${JSON.stringify(shape)}, "datatype": ${JSON.stringify(field.dataset.datatype)}, "data": ${nested(values, shape)}}`;
        });
        return `{\n  "inputs": [\n${inputs.join(",\n")}\n  ]\n}`;
    },
    mlflow: () => {
        if (plan.isTable) {
            const columns = filled().map((field) => ({ name: field.dataset.field, values: list(field) }));
            const rows = Math.max(0, ...columns.map(({ values }) => values.length));
            const short = columns.find(({ values }) => values.length !== rows);
            if (short) throw new Wrong(fields().find((field) => field.dataset.field === short.name), `Other columns have ${rows} rows, and this one ${short.values.length}.`);
            const data = Array.from({ length: rows }, (_, row) => `[${columns.map(({ values }) => values[row]).join(", ")}]`);
            return `{\n  "dataframe_split": {\n    "columns": ${JSON.stringify(columns.map(({ name }) => name))},\n    "data": [\n      ${data.join(",\n      ")}\n    ]\n  }\n}`;
        }
        const inputs = filled().map((field) => {
            const values = list(field);
            const shape = shapeOf(field, values.length);
            return { name: field.dataset.field, text: shape.length ? nested(values, shape) : values[0] };
        });
        if (inputs.length === 1 && !plan.isNamed) return `{"inputs": ${inputs[0].text}}`;
        return `{\n  "inputs": {\n${inputs.map(({ name, text }) => `    ${JSON.stringify(name)}: ${text}`).join(",\n")}\n  }\n}`;
    },
};

const clear = () => {
    for (const field of fields()) field.removeAttribute("aria-invalid");
    for (const error of form.querySelectorAll(".field-error")) error.remove();
};

// The request as it would be sent; undefined while something is wrong, which is told at its field.
const build = (tells) => {
    clear();
    try {
        const whole = fields().find((field) => field.dataset.kind === "body");
        return whole ? list(whole)[0] : builders[protocol()]();
    } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        if (tells && error.field) {
            error.field.setAttribute("aria-invalid", "true");
            error.field.closest(".field").append(make("p", { className: "field-error", role: "alert", textContent: error.message }));
            error.field.focus();
        }
        return undefined;
    }
};

const path = () => plan.paths[protocol()];

const update = () => {
    const body = build(false);
    preview.textContent = `POST /${path()}\nContent-Type: application/json\n\n${body ?? "…"}`;
    preview.parentElement.nextElementSibling.dataset.copy = body ?? "";
};

// MARK: Asking

const pretty = (text) => {
    // What is no JSON, or has numbers that would lose digits, stays as it came.
    if (text.length > 200_000 || /\d{16,}/.test(text)) return text;
    try {
        return JSON.stringify(JSON.parse(text), null, 2).replaceAll(/\[\s+([^[\]{}]*?)\s+\]/g, (_, inner) => `[${inner.split(/\s*\n\s*/).join(" ")}]`);
    } catch {
        return text;
    }
};

const row = (title, ...value) => [make("dt", { textContent: title }), make("dd", {}, ...value)];

const showAnswer = (response, text, milliseconds) => {
    const id = response.headers.get("x-apus-prediction-id");
    const state = make("span", { className: `badge ${response.ok ? "badge-good" : "badge-bad"}`, textContent: `${response.status} ${response.statusText}`.trim() });
    const facts = make("dl", { className: "kv" }, ...row("Answer", state), ...row("Time", `${milliseconds.toFixed(1)} ms, with the way here and back`));
    if (id) {
        const link = make("a", { href: new URL(`${form.dataset.predictions}/${encodeURIComponent(id)}`, document.baseURI), className: "mono", textContent: id });
        facts.append(...row("Prediction", link));
    }
    const code = make("code", { textContent: pretty(text) });
    answer.replaceChildren(facts, make("div", { className: "code" }, make("pre", { tabIndex: 0, ariaLabel: "The answer" }, code)));
};

form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = build(true);
    if (body === undefined || send.disabled) return;
    send.disabled = true;
    answer.ariaBusy = "true";
    const began = performance.now();
    try {
        const response = await fetch(new URL(path(), document.baseURI), { method: "POST", headers: { "Content-Type": "application/json" }, body });
        const text = await response.text();
        showAnswer(response, text, performance.now() - began);
    } catch {
        answer.replaceChildren(make("div", { className: "empty empty-error", role: "alert" }, make("p", { className: "empty-title", textContent: "The server did not answer." }), make("p", { className: "muted", textContent: "Nothing is lost; try again." })));
    } finally {
        send.disabled = false;
        answer.ariaBusy = "false";
    }
});
form.addEventListener("input", update);
form.addEventListener("change", update);
form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
update();
