// Changes where things stand: texts, tags, forms in dialogs, and a question before what others rely on.

const apus = window.apus;

const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
};

// MARK: Calls

const call = (text, entered = {}) => {
    const { method, address, fields } = JSON.parse(text);
    return apus.ask(address, {
        method,
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...fields, ...entered }),
    });
};

// What is wrong stands where it was entered, and stays until the next attempt.
const tell = (place, error) => {
    const text = error instanceof TypeError ? "The server did not answer. Nothing is lost; try again." : error.message;
    let problem = place.querySelector(":scope > .filter-error");
    if (!problem) {
        problem = make("div", { className: "filter-error", role: "alert" });
        place.append(problem);
    }
    problem.textContent = text;
};

// A page whose subject is about to go is not fetched again.
const leave = (element) => (apus.isLeaving = element.dataset.then !== undefined);
addEventListener("pageshow", () => (apus.isLeaving = false));

const follow = (element, entered = {}) => {
    const { then, thenField } = element.dataset;
    if (!then) {
        apus.refresh();
        return;
    }
    const path = thenField ? `${then}/${encodeURIComponent(entered[thenField])}` : then;
    const address = new URL(path, document.baseURI);
    if (address.href === location.href) location.reload();
    else location.assign(address);
};

// MARK: Texts

const isDirty = (form) => form.elements.text.value !== form.parentElement.dataset.text;

const close = (box) => {
    box.querySelector(":scope > form")?.remove();
    box.querySelector("[data-edit-open]").focus();
};

const open = (box) => {
    if (box.querySelector(":scope > form")) return;
    const { label, edit } = box.dataset;
    const isLine = edit === "line";
    const text = make(isLine ? "input" : "textarea", { name: "text", value: box.dataset.text, ariaLabel: label, required: isLine });
    const save = make("button", { className: "button button-primary", textContent: "Save" });
    const cancel = make("button", { className: "button", type: "button", textContent: "Cancel" });
    const hint = make("span", { className: "muted", textContent: isLine ? "Enter saves, Esc cancels" : "Ctrl Enter saves, Esc cancels" });
    const form = make("form", { className: "editor" }, text, make("div", { className: "actions" }, save, cancel, hint));
    form.dataset.editing = "";
    form.addEventListener("keydown", (event) => {
        if (event.key === "Escape") {
            event.stopPropagation();
            close(box);
            apus.refresh();
        } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            form.requestSubmit();
        }
    });
    cancel.addEventListener("click", () => {
        close(box);
        apus.refresh();
    });
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (save.disabled) return;
        save.disabled = true;
        const value = text.value;
        try {
            leave(box);
            await call(box.dataset.call, { [box.dataset.field]: value });
        } catch (error) {
            apus.isLeaving = false;
            save.disabled = false;
            text.ariaInvalid = "true";
            tell(form, error);
            text.focus();
            return;
        }
        close(box);
        follow(box, { [box.dataset.field]: value });
    });
    box.append(form);
    text.focus();
    if (isLine) text.select();
};

// Somebody else may have changed the text that is being edited; saving would undo that unseen.
addEventListener("apus-held", ({ detail: fresh }) => {
    for (const form of document.querySelectorAll("form[data-editing]")) {
        const box = form.parentElement;
        const now = [...fresh.querySelectorAll("[data-edit]")].find((other) => other.dataset.label === box.dataset.label);
        if (now && now.dataset.text !== box.dataset.text) {
            tell(form, new Error("This was changed elsewhere meanwhile. Saving replaces that; cancel to see it."));
        }
    }
});

addEventListener("beforeunload", (event) => {
    if ([...document.querySelectorAll("form[data-editing]")].some(isDirty)) event.preventDefault();
});

// MARK: Questions

// Asks, and acts in the dialog, so that an error is seen where the question was.
const ask = (button) => {
    const { question, effects, button: word, danger, asksWhy } = button.dataset;
    const title = make("h2", { id: "question-title", textContent: question });
    const list = make("ul", {}, ...effects.split("\n").filter(Boolean).map((effect) => make("li", { textContent: effect })));
    const cancel = make("button", { className: "button", type: "button", textContent: "Cancel" });
    const act = make("button", { className: "button button-primary", type: "button", textContent: word });
    if (danger !== undefined) act.classList.add("button-danger");
    const why = make("input", { name: "reason", maxLength: 500, autocomplete: "off", placeholder: "for the history of changes" });
    const reason = asksWhy === undefined ? [] : [make("label", { className: "field" }, "Why", why)];
    const dialog = make("dialog", { className: "question" }, title, list, ...reason, make("div", { className: "actions" }, cancel, act));
    dialog.setAttribute("aria-labelledby", title.id);
    cancel.addEventListener("click", () => dialog.close());
    act.addEventListener("click", async () => {
        act.disabled = true;
        try {
            leave(button);
            await call(button.dataset.call, asksWhy === undefined ? {} : { reason: why.value });
        } catch (error) {
            apus.isLeaving = false;
            act.disabled = false;
            tell(dialog, error);
            return;
        }
        dialog.close();
        follow(button);
    });
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    cancel.focus();
};

// MARK: Forms

const entered = (form) => {
    const fields = {};
    for (const control of form.elements) {
        if (!control.name || control.disabled) continue;
        fields[control.name] = control.type === "checkbox" ? control.checked : control.value;
    }
    return fields;
};

document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-call]");
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector("button:not([type=button])");
    if (button.disabled) return;
    button.disabled = true;
    const fields = entered(form);
    try {
        for (const box of form.querySelectorAll("[data-first]:checked")) {
            const [field] = box.dataset.first.split(" ", 1);
            await call(box.dataset.first.slice(field.length), { [field]: fields[field] });
            // Another attempt would find that done.
            box.checked = false;
        }
        await call(form.dataset.call, fields);
    } catch (error) {
        tell(form, error);
        return;
    } finally {
        button.disabled = false;
    }
    form.querySelector(":scope > .filter-error")?.remove();
    form.closest("dialog")?.close();
    form.reset();
    form.querySelector("input, textarea")?.focus();
    if (form.dataset.said) apus.toast(form.dataset.said);
    follow(form, fields);
});

// The shell opens the dialog; here its form begins with what the button stands for.
const fill = (opener) => {
    const form = document.getElementById(opener.dataset.dialog).querySelector("form");
    form.reset();
    form.querySelector(":scope > .filter-error")?.remove();
    for (const fill of opener.dataset.fills.split("\n").filter(Boolean)) {
        const at = fill.indexOf("=");
        form.elements[fill.slice(0, at)].value = fill.slice(at + 1);
    }
    form.dispatchEvent(new Event("input", { bubbles: true }));
};

document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-edit-open]");
    if (opener) return open(opener.closest("[data-edit]"));
    const asked = event.target.closest("button[data-question]");
    if (asked) return ask(asked);
    const filled = event.target.closest("[data-dialog][data-fills]");
    if (filled) fill(filled);
});

document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.closest?.("form[data-call]")?.requestSubmit();
});

// MARK: What a choice in a dialog means

const sayings = {
    alias: (form, { alias, version }) => {
        const name = alias.trim();
        const now = JSON.parse(document.getElementById("aliases-now").dataset.versions)[name];
        const loads = `Whoever loads models:/${form.dataset.model}@${name}`;
        if (!name) return ["An alias is a name that clients load, such as champion. It can move to another version later."];
        if (now === version) return [`@${name} is version ${version} already. Nothing changes.`];
        if (now) return [`@${name} moves from version ${now} to version ${version}.`, `${loads} gets version ${version} in place of ${now} from now on.`];
        return [`@${name} begins with version ${version}.`, `${loads} gets version ${version}.`];
    },
    stage: (form, { stage, archive_existing_versions: archives }) => {
        const { model, version, stages } = form.dataset;
        const from = form.dataset.stage;
        const isActive = stage === "Staging" || stage === "Production";
        form.elements.archive_existing_versions.disabled = !isActive;
        if (from === stage) return [`Version ${version} is in ${stage} already.`];
        const lines = [`Version ${version} moves from ${from} to ${stage}.`];
        const there = JSON.parse(stages)[stage];
        if (isActive) {
            lines.push(`Whoever loads models:/${model}/${stage} gets the highest version there.`);
            if (there && archives) lines.push(`Version ${there} and all others in ${stage} go to Archived.`);
            else if (there) lines.push(`Version ${there} stays in ${stage} beside it.`);
        }
        return lines;
    },
};

document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-saying]");
    if (!form) return;
    const lines = sayings[form.dataset.saying](form, entered(form));
    form.querySelector("[data-effect]").replaceChildren(...lines.map((line) => make("span", { textContent: line })));
});
