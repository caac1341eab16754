import ApusConsole

/// What the address of a comparison says besides the runs.
struct CompareQuery: Sendable {
    enum View: String, Sendable, CaseIterable {
        case charts = "Charts"
        case differences = "Differences"
        case relations = "Relations"
        case images = "Images"

        var word: String { rawValue.lowercased() }
    }

    var view: View
    /// What the keys of the tables hold.
    var text: String
    /// Whether rows that are the same in all runs are left out.
    var isDiffering: Bool
    /// The run that the others are compared with; empty for the first.
    var base: String

    init(_ value: (String) -> String?) {
        let word = value("view") ?? ""
        view = View.allCases.first { $0.word == word } ?? .charts
        text = String((value("find") ?? "").prefix(200))
        isDiffering = value("differs") == "1"
        base = value("base") ?? ""
    }
}
