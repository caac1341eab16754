// What is done with many chosen runs at once: compare, tag, delete, restore.

const { host, state, selected, onChoice, chooseNone, announce, refresh, make, button, grouped } = window.apus.runs;
const ATONCE = 4;

const runsText = (count) => `${grouped(count)} ${count === 1 ? "run" : "runs"}`;

// MARK: Many requests, a few at a time

const dialog = make("dialog");
document.body.append(dialog);

const call = (path, body) =>
    window.apus.ask(`ajax-api/2.0/mlflow/runs/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

// Does something to each run; tells for which it worked, and the first error. It can be stopped.
const each = async (title, ids, act) => {
    const bar = make("progress", { max: ids.length, value: 0 });
    bar.setAttribute("aria-label", title);
    const note = make("p", { className: "muted" });
    let isStopped = false;
    const stop = button("Stop", "button", () => (isStopped = true));
    dialog.setAttribute("aria-label", title);
    dialog.replaceChildren(make("h2", { textContent: title }), bar, note, make("div", { className: "actions" }, stop));
    dialog.oncancel = () => (isStopped = true);
    // What takes no time needs no window.
    const opening = setTimeout(() => dialog.showModal(), 300);
    const rest = [...ids];
    const done = [];
    let failure;
    const work = async () => {
        while (rest.length && !isStopped) {
            const id = rest.shift();
            try {
                await act(id);
                done.push(id);
            } catch (error) {
                failure ??= error.message;
            }
            bar.value++;
            note.textContent = `${grouped(bar.value)} of ${grouped(ids.length)}`;
        }
    };
    await Promise.all(Array.from({ length: ATONCE }, work));
    clearTimeout(opening);
    dialog.close();
    return { done, failure, isStopped };
};

const report = (what, { done, failure, isStopped }, undo) => {
    const text = `${runsText(done.length)} ${what}${isStopped ? " before you stopped it" : ""}.`;
    announce(text);
    refresh();
    if (done.length) window.apus.toast(text, false, undo && { text: "Undo", act: () => undo(done) });
    if (failure) window.apus.toast(failure, true);
};

// A question in a window; answers what the form says, or null.
const ask = (title, fields, verb, className, more = []) =>
    new Promise((resolve) => {
        const inner = make("form", { method: "dialog" });
        const cancel = button("Cancel", "button", () => dialog.close());
        // The first is what Enter does.
        const verbs = [[verb, className], ...more].map(([text, look]) => make("button", { textContent: text, className: look, value: text }));
        inner.append(make("h2", { textContent: title }), ...fields, make("div", { className: "actions" }, cancel, ...verbs));
        dialog.setAttribute("aria-label", title);
        dialog.replaceChildren(inner);
        let answer = null;
        inner.addEventListener("submit", (event) => {
            answer = { verb: event.submitter?.value ?? verb, ...Object.fromEntries(new FormData(inner)) };
        });
        dialog.onclose = () => {
            dialog.onclose = null;
            resolve(answer);
        };
        dialog.showModal();
    });

window.apus.runs.ask = ask;

// MARK: The actions

const remove = async () => {
    const ids = [...selected];
    const note = make("p", { textContent: "Deleted runs can be restored until the trash is emptied. Runs below them stay." });
    if (!(await ask(`Delete ${runsText(ids.length)}?`, [note], "Delete", "button button-primary button-danger"))) return;
    const result = await each(`Deleting ${runsText(ids.length)}`, ids, (id) => call("delete", { run_id: id }));
    chooseNone();
    report("deleted", result, restoreThese);
};
const restoreThese = async (ids) => {
    const result = await each(`Restoring ${runsText(ids.length)}`, ids, (id) => call("restore", { run_id: id }));
    report("restored", result);
};
const restore = async () => {
    const ids = [...selected];
    chooseNone();
    await restoreThese(ids);
};

const tag = async () => {
    const ids = [...selected];
    const key = make("input", { name: "key", required: true, autocomplete: "off", maxLength: 250 });
    const value = make("input", { name: "value", autocomplete: "off", maxLength: 8000 });
    const fields = [make("label", { className: "field" }, "Tag", key), make("label", { className: "field" }, "Value", value)];
    const answer = await ask(`Tag ${runsText(ids.length)}`, fields, "Set tag", "button button-primary", [["Remove tag", "button"]]);
    if (!answer) return;
    if (answer.verb === "Remove tag") {
        const result = await each(`Removing the tag ${answer.key}`, ids, (id) =>
            // A run without the tag is as it shall be.
            call("delete-tag", { run_id: id, key: answer.key }).catch((error) => {
                if (!/^No tag with name/.test(error.message)) throw error;
            }),
        );
        report(`without the tag ${answer.key}`, result);
    } else {
        const result = await each(`Setting the tag ${answer.key}`, ids, (id) => call("set-tag", { run_id: id, key: answer.key, value: answer.value }));
        report(`tagged ${answer.key}`, result);
    }
};

const compare = () => {
    const items = new URLSearchParams([...selected].slice(0, 200).map((id) => ["run", id]));
    location.href = new URL(`console/compare?${items}`, document.baseURI);
};

// MARK: The bar

const count = make("span", { className: "choice-count" });
const compareButton = button("Compare", "button button-primary", compare);
const bar = make("div", { className: "choice", hidden: true }, count, compareButton, button("Tag…", "button", tag));
bar.setAttribute("role", "toolbar");
bar.setAttribute("aria-label", "Chosen runs");
if (state.view !== "active") bar.append(button("Restore", "button", restore));
if (state.view !== "deleted") bar.append(button("Delete…", "button button-danger", remove));
bar.append(button("Choose none", "button button-quiet", chooseNone));
host.before(bar);

onChoice(() => {
    bar.hidden = selected.size === 0;
    count.textContent = `${runsText(selected.size)} chosen`;
    compareButton.disabled = selected.size < 2;
    compareButton.textContent = selected.size > 200 ? "Compare the first 200" : selected.size < 2 ? "Compare" : `Compare ${selected.size}`;
});
