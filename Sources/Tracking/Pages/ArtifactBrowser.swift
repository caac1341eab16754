import ApusConsole

/// The files of a run or of a logged model, and a preview of the one that is chosen.
///
/// `?path=` in the page's address chooses a file or a folder.
struct ArtifactBrowser {
    enum Owner {
        case run(String)
        case loggedModel(String)
    }

    let owner: Owner

    /// What a page with the browser loads.
    static let scripts: [Asset] = [.figure, .preview, .artifacts]

    var view: HTML {
        Element.div(
            .class("split artifacts"),
            .id("artifacts"),
            attribute,
            Attribute("data-address", address),
            Attribute("data-hint", hint),
            Attribute("data-plotly", Asset.plotly.link.text),
            Attribute("data-highlighter", Asset.highlighter.link.text),
            Attribute("data-highlight", Asset.highlight.link.text)
        ) {
            Element.div(.class("tree"), Attribute("data-tree")) {
                Element.p(.class("skeleton")) { "Loading…" }
                Element.noscript() { Component.empty("Files need JavaScript") }
            }
            Element.section(.class("preview"), Attribute("data-preview"), .label("Preview")) {
                Component.empty(
                    "Choose a file",
                    "Text, code, JSON, tables, images, audio, video, Markdown, HTML, figures and models are shown here."
                )
            }
        }
    }

    private var attribute: Attribute {
        switch owner {
        case .run(let id): Attribute("data-run", id)
        case .loggedModel(let id): Attribute("data-model", id)
        }
    }

    /// What clients write before the path of a file.
    private var address: String {
        switch owner {
        case .run(let id): "runs:/\(id)"
        case .loggedModel(let id): "models:/\(id)"
        }
    }

    private var hint: String {
        switch owner {
        case .run: "mlflow.log_artifact(path)"
        case .loggedModel: "The model has no files on this server."
        }
    }
}
