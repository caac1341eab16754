// The name, the description and the tags of an experiment, and its way into the trash and back.

const { host, make, button, ask } = window.apus.runs;

const call = (path, body) =>
    window.apus.ask(`ajax-api/2.0/mlflow/experiments/${path}`, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ experiment_id: host.dataset.runs, ...body }),
    });
const attempt = async (act) => {
    try {
        await act();
        location.reload();
    } catch (error) {
        window.apus.toast(error.message, true);
    }
};

const opener = document.querySelector("[data-edit-experiment]");
opener?.addEventListener("click", async () => {
    const was = { name: opener.dataset.editExperiment, note: opener.dataset.note };
    const gone = new Set();
    const name = make("input", { name: "name", value: was.name, required: true, maxLength: 500, autocomplete: "off" });
    const note = make("textarea", { name: "note", value: was.note, maxLength: 20_000 });
    const key = make("input", { name: "key", maxLength: 250, autocomplete: "off" });
    const value = make("input", { name: "value", maxLength: 20_000, autocomplete: "off" });
    const tags = make("div", {});
    for (const tag of document.querySelectorAll("[data-tag]")) {
        const chip = make("span", { className: "chip", title: tag.title }, make("span", { textContent: tag.textContent }));
        const remove = button("×", "", () => {
            gone.add(tag.dataset.tag);
            chip.remove();
        });
        remove.setAttribute("aria-label", `Remove the tag ${tag.dataset.tag}`);
        chip.append(remove);
        tags.append(chip);
    }
    const field = (text, input) => make("label", { className: "field" }, text, input);
    const answer = await ask(
        "Edit the experiment",
        [field("Name", name), field("Description", note), tags, make("div", { className: "pair" }, field("New tag", key), field("Value", value))],
        "Save", "button button-primary", [["Delete…", "button button-danger"]],
    );
    if (!answer) return;
    if (answer.verb === "Delete…") {
        const hint = make("p", { textContent: "Its runs go with it. It can be restored until the trash is emptied; deleted experiments are listed on the page of all experiments." });
        if (await ask(`Delete ${was.name}?`, [hint], "Delete", "button button-primary button-danger")) attempt(() => call("delete", {}));
        return;
    }
    attempt(async () => {
        if (answer.name !== was.name) await call("update", { new_name: answer.name });
        if (answer.note !== was.note) await call("set-experiment-tag", { key: "mlflow.note.content", value: answer.note });
        for (const tag of gone) await call("delete-experiment-tag", { key: tag });
        if (answer.key) await call("set-experiment-tag", { key: answer.key, value: answer.value });
    });
});

document.querySelector("[data-restore-experiment]")?.addEventListener("click", () => attempt(() => call("restore", {})));
