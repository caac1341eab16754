package import ApusCommand
import ArgumentParser

/// A metric, param or tag that has a column in a table of runs, such as `metrics.acc`.
package struct RunColumn: ExpressibleByArgument, Sendable, Hashable {
    /// Where the value is found.
    package enum Entity: String, Sendable { case metrics, params, tags }

    package let entity: Entity
    package let key: String

    package init(_ entity: Entity, _ key: String) {
        self.entity = entity
        self.key = key
    }

    /// Reads what MLflow's search language writes; quotation marks around the key are taken off.
    package init?(argument: String) {
        guard let dot = argument.firstIndex(of: ".") else { return nil }
        switch argument[..<dot].lowercased() {
        case "metric", "metrics": entity = .metrics
        case "param", "params", "parameter", "parameters": entity = .params
        case "tag", "tags": entity = .tags
        default: return nil
        }
        var text = argument[argument.index(after: dot)...]
        for mark in ["`", "\""] where text.count > 2 && text.hasPrefix(mark) && text.hasSuffix(mark) {
            text = text.dropFirst().dropLast()
        }
        guard !text.isEmpty else { return nil }
        key = String(text)
    }

    /// How it is written in a filter and above the column.
    package var title: String { "\(entity.rawValue).\(key)" }

    /// The value of a run, or an empty cell.
    package func cell(_ run: JSON) -> TableCell {
        let value = run["data"][entity.rawValue].elements.last { $0["key"].text == key }?["value"] ?? .null
        if entity == .metrics { return TableCell(value.double.map(NumberText.short) ?? "") }
        return TableCell(value.text)
    }

    /// The columns that a filter or an order names: what one searches by is what one wants to see.
    package static func named(in texts: [String]) -> [RunColumn] {
        var found: [RunColumn] = []
        for text in texts {
            for word in text.split(whereSeparator: { $0.isWhitespace || "=<>!(),".contains($0) }) {
                guard let column = RunColumn(argument: String(word)), !found.contains(column) else { continue }
                found.append(column)
            }
        }
        return found
    }

    /// The metrics that most of the runs have, so that a table tells something without being asked.
    package static func usual(of runs: [JSON], count: Int) -> [RunColumn] {
        var uses: [String: Int] = [:]
        for run in runs {
            for metric in run["data"]["metrics"].elements where !metric["key"].text.hasPrefix("system/") {
                uses[metric["key"].text, default: 0] += 1
            }
        }
        return uses.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(count).map { RunColumn(.metrics, $0.key) }
    }
}
