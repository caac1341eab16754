package import ApusConsole

/// A part of the page of a version, such as its profile, that another part of the capability brings.
package protocol VersionSection: Sendable {
    /// The heading, such as `Profile`; also the part's anchor, in lower case.
    var title: String { get }

    /// What is shown of a version; nil where there is nothing, so that the part is left out.
    ///
    /// What it throws takes the place of the part, and not of the page.
    func content(of version: DatasetVersion, in dataset: Dataset) async throws -> HTML?

    /// What is shown of two versions side by side, on the page of their differences; nil for nothing.
    func comparison(from: DatasetVersion, to: DatasetVersion, in dataset: Dataset) async throws -> HTML?
}

extension VersionSection {
    package func comparison(from: DatasetVersion, to: DatasetVersion, in dataset: Dataset) async throws -> HTML? { nil }
}

/// A part that was made, or what kept it from being made.
struct ShownSection {
    let title: String
    let content: HTML

    /// What the part is called in addresses.
    static func anchor(_ title: String) -> String { title.lowercased().split(separator: " ").joined(separator: "-") }

    var html: HTML { Component.card(title, id: Self.anchor(title)) { content } }
}
