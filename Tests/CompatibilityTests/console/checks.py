"""What tests of several pages look for."""

import time

ATTACK = "<img src=x onerror=\"window.attacked=1\"><script>window.attacked=1</script>"

CHECKS = """() => {
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ratio = (one, other) => {
        const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05);
    };
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
            if (colour[3] > 0) return null;
        }
        return [255, 255, 255];
    };
    const bad = [];
    const tell = (what, element) => bad.push(`${what}: ${element.outerHTML.slice(0, 140)}`);
    const seen = [...document.querySelectorAll("body *")].filter(element => element.checkVisibility() && !element.closest(".js-plotly-plot"));
    for (const element of seen) {
        const style = getComputedStyle(element);
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        if (own && !element.matches(":disabled, .skip, .skeleton, option")) {
            const ground = behind(element);
            if (ground && ratio(parse(style.color), ground) < 4.5) tell(`contrast ${ratio(parse(style.color), ground).toFixed(2)}`, element);
        }
        if (element.matches("input:not([type=checkbox], [type=radio], [type=range], [role=combobox], :disabled), select:not(:disabled), textarea")) {
            const ground = behind(element.parentElement);
            if (ground && ratio(parse(style.borderTopColor), ground) < 3) tell("edge of a control", element);
        }
        if (element.matches("a[href], button, input:not([type=hidden]), select, textarea, nav, iframe, dialog, [role=grid], [role=tree], [role=region], [role=img], table")) {
            const labelled = (element.getAttribute("aria-labelledby") ?? "").split(" ").some(id => document.getElementById(id)?.textContent);
            const named = element.ariaLabel || labelled || element.title || element.labels?.length || (element.matches("a, button") && (element.textContent.trim() || element.querySelector("img[alt]")));
            if (!named && !element.matches(".markdown table")) tell("without a name", element);
        }
        if (element.matches("img:not([alt])")) tell("picture without a text", element);
        if (element.matches("a:not([href]), [onclick]")) tell("acts, but is neither link nor button", element);
        if (element.tabIndex > 0) tell("changes the order of the Tab key", element);
        if (element.matches("th:not([scope])") && !element.closest(".markdown")) tell("head of a table without a scope", element);
        for (const name of ["aria-controls", "aria-labelledby", "aria-describedby", "aria-activedescendant"]) {
            for (const id of (element.getAttribute(name) ?? "").split(" ").filter(Boolean)) if (!document.getElementById(id)) tell(`${name} leads nowhere`, element);
        }
        if (element.matches("[role=option]") && !element.closest("[role=listbox]")) tell("option outside of a list", element);
        if (element.matches("[role=row]") && !element.closest("[role=grid], table")) tell("row outside of a grid", element);
        if (element.matches("[role=treeitem]") && !element.closest("[role=tree]")) tell("item outside of a tree", element);
    }
    const ids = [...document.querySelectorAll("[id]")].filter(element => !element.closest(".js-plotly-plot")).map(element => element.id);
    for (const id of new Set(ids)) if (ids.filter(other => other === id).length > 1) bad.push(`id ${id} twice`);
    const headings = seen.filter(element => element.matches("h1, h2, h3, h4, h5, h6") && !element.closest(".chart")).map(element => Number(element.tagName[1]));
    if (headings.filter(level => level === 1).length !== 1) bad.push("not one first heading");
    headings.forEach((level, place) => { if (place && level > headings[place - 1] + 1) bad.push(`heading ${level} follows ${headings[place - 1]}`); });
    if (document.querySelectorAll("main").length !== 1 || !document.documentElement.lang) bad.push("no main part or language");
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wide > 0) bad.push(`${wide} px wider than its window`);
    return bad;
}"""


def contrast(page) -> list[str]:
    """Texts of a page that are too faint, by its styles."""
    return [problem for problem in page.evaluate(CHECKS) if problem.startswith("contrast")]


def nameless(page) -> list[str]:
    """What acts and has no name."""
    return [problem for problem in page.evaluate(CHECKS) if problem.startswith("without a name")]


def until(condition, seconds: float = 60) -> bool:
    """Whether the condition comes true in time; the page's policy lets no test wait inside of it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
