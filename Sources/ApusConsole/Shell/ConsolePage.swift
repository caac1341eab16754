import ApusGateway
package import ApusKernel
import HTTPTypes

/// What a page shows inside of the shell.
package struct ConsolePage: Sendable {
    /// A place on the way to this page.
    package struct Crumb: Sendable {
        let title: String
        let link: Link

        package init(_ title: String, _ link: Link) {
            self.title = title
            self.link = link
        }
    }

    /// The entry of the navigation that is marked.
    package enum Section: String, Sendable, CaseIterable {
        case home = "Home"
        case experiments = "Experiments"
        case datasets = "Datasets"
        case models = "Models"
        case endpoints = "Endpoints"
        case system = "System"
    }

    let title: String
    let section: Section?
    let crumbs: [Crumb]
    let scripts: [Asset]
    let isWide: Bool
    let content: HTML

    /// - Parameters:
    ///   - title: What the browser's tab and the heading say.
    ///   - section: Nil outside of the navigation.
    ///   - crumbs: The way here, without the page itself.
    ///   - scripts: The modules that the page needs besides the shell's.
    ///   - isWide: Whether the content takes the whole width, as tables do.
    ///   - content: The page below its heading.
    package init(
        _ title: String,
        section: Section? = nil,
        crumbs: [Crumb] = [],
        scripts: [Asset] = [],
        isWide: Bool = false,
        @HTMLBuilder content: () -> HTML
    ) {
        self.title = title
        self.section = section
        self.crumbs = crumbs
        self.scripts = scripts
        self.isWide = isWide
        self.content = content()
    }

    /// What is shown where there is no page, or none for what a browser did.
    static func missing(isMethod: Bool) -> ConsolePage {
        let title = isMethod ? "This cannot be done here" : "There is no such page"
        return ConsolePage(title) {
            Component.heading(title)
            Element.div(.class("empty empty-error"), .role("alert")) {
                Element.p(.class("empty-title")) {
                    isMethod ? "Pages are only shown at this address." : "Nothing is at this address."
                }
                Element.p(.class("muted")) {
                    "Check how it is written, or jump to an experiment, run, dataset or model by name."
                }
                Element.div(.class("actions")) {
                    Element.button(.class("button button-primary"), .type("button"), Attribute("data-palette")) {
                        "Jump to…"
                    }
                    Element.a(.href(Link("console")), .class("button")) { "Go home" }
                }
            }
        }
    }

    /// What is shown in place of a page that could not be made.
    package static func failure(_ code: ErrorCode, _ message: String, requestID: String) -> ConsolePage {
        let isOurs = code.status.code >= 500
        return ConsolePage(isOurs ? "Something went wrong" : "This cannot be shown") {
            Component.heading(isOurs ? "Something went wrong" : "This cannot be shown")
            Element.div(.class("empty empty-error"), .role("alert")) {
                Element.p(.class("empty-title")) { message }
                if isOurs { Element.p(.class("muted")) { "Request \(requestID). The server's log tells more." } }
                Element.p { Element.a(.href(Link("console")), .class("button")) { "Go home" } }
            }
        }
    }
}
