/// Parts of pages that change something. They read well without a script; `edit.js` lets them act.
extension Component {
    /// A text that is changed where it stands.
    ///
    /// - Parameters:
    ///   - label: What the text is, such as `description`; tells it from the others of the page.
    ///   - text: The text as it is kept; `shown` may be made from it.
    ///   - call: What keeps another text.
    ///   - field: The field of the call that takes the text.
    ///   - isLine: Whether it is one line that may not be empty.
    ///   - then: What is shown when it is kept.
    ///   - shown: The text as it is read.
    /// - Returns: The text and a button that lets a form take its place.
    package static func editable(
        _ label: String,
        _ text: String,
        call: Call,
        field: String,
        isLine: Bool = false,
        then: Afterwards = .here,
        @HTMLBuilder shown: () -> HTML
    ) -> HTML {
        let attributes: [Attribute?] = [
            .class("editable"), Attribute("data-edit", isLine ? "line" : "text"), Attribute("data-label", label),
            Attribute("data-text", text), Attribute("data-field", field), call.attribute,
        ]
        return Element.div.with(attributes + then.attributes) {
            Element.div(.class("editable-text")) { shown() }
            iconButton(.edit, "Edit \(label)", [Attribute("data-edit-open")])
        }
    }

    /// Notes in Markdown that are changed where they stand.
    package static func notes(_ label: String, _ text: String, empty hint: String, call: Call, field: String) -> HTML {
        editable(label, text, call: call, field: field) {
            text.isEmpty ? Element.p(.class("muted")) { hint } : markdown(text)
        }
    }

    /// Tags that are added, changed and deleted one by one.
    ///
    /// - Parameters:
    ///   - tags: What is shown.
    ///   - live: The attribute that lets the table be put in anew when tags change.
    ///   - set: The call that takes the fields `key` and `value`.
    ///   - delete: The call that takes the field `key`.
    /// - Returns: A table, and a form for another tag.
    package static func tags(
        _ tags: [(key: String, value: String)],
        live: Attribute,
        set: (_ fields: [(name: String, value: String)]) -> Call,
        delete: (_ fields: [(name: String, value: String)]) -> Call
    ) -> HTML {
        let rows = tags.map { tag in
            let question = Question(
                "Delete the tag \(tag.key)?",
                effects: ["Its value is lost: \(tag.value.isEmpty ? "nothing" : String(tag.value.prefix(200)))"],
                button: "Delete tag"
            )
            let value = editable("tag \(tag.key)", tag.value, call: set([("key", tag.key)]), field: "value") {
                tag.value
            }
            let button = iconButton(
                .delete,
                "Delete tag \(tag.key)",
                [delete([("key", tag.key)]).attribute] + question.attributes
            )
            return (tag.key, Element.div(.class("with-sign")) { value + button })
        }
        return HTMLBuilder.buildBlock(
            Element.div(live) { pairs("tags", rows, empty: "Tags make things easy to find.") },
            Element.details(.class("scripted")) {
                Element.summary() { "Add a tag" }
                Element.form(.class("toolbar"), set([]).attribute, Attribute("data-said", "The tag is set.")) {
                    Element.label() {
                        "Key"
                        Element.input(.name("key"), Attribute("required"), Attribute("autocomplete", "off"))
                    }
                    Element.label(.class("grow")) {
                        "Value"
                        Element.textarea(.name("value"), Attribute("rows", "1"))
                    }
                    Element.button(.class("button")) { "Add" }
                }
            }
        )
    }

    /// A button that calls the server once it was asked whether it should.
    ///
    /// - Parameters:
    ///   - title: What it says.
    ///   - call: What it calls.
    ///   - question: What is asked before.
    ///   - label: What readers of screens say in place of the title.
    ///   - then: What is shown afterwards.
    /// - Returns: The button.
    package static func action(
        _ title: String,
        _ call: Call,
        asking question: Question,
        label: String? = nil,
        then: Afterwards = .here
    ) -> HTML {
        let attributes: [Attribute?] = [
            .class("button scripted\(question.isDangerous ? " button-danger" : "")"), .type("button"),
            label.map { .label($0) }, call.attribute,
        ]
        return Element.button.with(attributes + question.attributes + then.attributes) { title }
    }

    private static func iconButton(_ icon: Icon, _ label: String, _ attributes: [Attribute?]) -> HTML {
        Element.button.with(
            [.class("icon-button scripted"), .type("button"), .label(label), .title(label)] + attributes
        ) { icon.sign }
    }

    /// A dialog with a form whose fields join a call.
    ///
    /// - Parameters:
    ///   - id: Tells this dialog from the others of the page.
    ///   - title: Its heading.
    ///   - button: What the button says that does it.
    ///   - call: What is called with the form's fields.
    ///   - attributes: For a script that tells more, such as what a choice means.
    ///   - then: What is shown afterwards.
    ///   - fields: The controls, each with a name.
    /// - Returns: The dialog, closed.
    package static func dialog(
        _ id: String,
        _ title: String,
        button: String,
        call: Call,
        _ attributes: [Attribute?] = [],
        then: Afterwards = .here,
        @HTMLBuilder fields: () -> HTML
    ) -> HTML {
        Element.dialog(.id(id), Attribute("aria-labelledby", "\(id)-title")) {
            Element.h2(.id("\(id)-title")) { title }
            Element.form.with([.class("form"), call.attribute] + attributes + then.attributes) {
                fields()
                Element.div(.class("actions")) {
                    Element.button(.class("button"), .type("button"), Attribute("data-close")) { "Cancel" }
                    Element.button(.class("button button-primary")) { button }
                }
            }
        }
    }

    /// A control below its name.
    package static func field(_ label: String, @HTMLBuilder control: () -> HTML) -> HTML {
        Element.label(.class("field")) {
            label
            control()
        }
    }

    /// Where a script tells what a choice in a dialog means.
    package static var effect: HTML {
        Element.p(.class("effect"), Attribute("data-effect"), .role("status"))
    }

    /// A button that opens a dialog of the page.
    ///
    /// - Parameters:
    ///   - title: What it says.
    ///   - id: The dialog.
    ///   - label: What readers of screens say in its place.
    ///   - fills: Values, of one line each, that the dialog's controls begin with.
    /// - Returns: The button.
    package static func opener(
        _ title: String,
        _ id: String,
        label: String? = nil,
        fills: [(name: String, value: String)] = []
    ) -> HTML {
        Element.button(
            .class("button scripted"),
            .type("button"),
            label.map { .label($0) },
            Attribute("data-dialog", id),
            Attribute("aria-haspopup", "dialog"),
            Attribute("data-fills", fills.map { "\($0.name)=\($0.value)" }.joined(separator: "\n"))
        ) { title }
    }

    /// An address of a client's: a link when it leads to the web, else a text.
    package static func address(_ text: String, _ content: HTML? = nil) -> HTML {
        guard MarkdownAddress.isAllowed(text) else { return content ?? Element.code() { text } }
        return MarkdownAddress.link(text, content ?? HTML(text))
    }
}
