import ApusTable

/// Says what is wrong in one sentence.
enum CheckMessage {
    static func text(_ check: Check, _ finding: CheckFinding) -> String? {
        if let counts = finding.counts {
            let base = counts.considered ?? counts.elements
            let rows = "\(counts.unexpected) of \(base) \(base == 1 ? "row" : "rows")"
            return check.mostly < 1 ? "\(rows) fail; \(percent(1 - check.mostly)) may" : "\(rows) fail"
        }
        switch (check.expectation, finding.observed) {
        case (.statistic(_, _, let bounds), .scalar(let value)?), (.table(.rowCount(let bounds)), .scalar(let value)?),
            (.table(.columnCount(let bounds)), .scalar(let value)?),
            (.table(.duplicates(let bounds)), .scalar(let value)?):
            let observed = value == .null ? "there is no value" : "it is \(value.shown)"
            return "\(observed), and is to be \(bounds.text)"
        case (.drift(_, let test), .scalar(let value)?):
            return "the distance is \(value.shown), and is to be below \(TableValue.number(test.threshold).shown)"
        case (.fresh, .scalar(let value)?): return "the latest is \(value.shown)"
        case (.table(.noRows), .scalar(let value)?): return "the query finds \(value.shown) rows"
        case (.mostCommon, .list(let values)?):
            let shown = values.prefix(5).map { value -> String in
                if case .scalar(let value) = value { value.shown } else { "" }
            }
            return "most common: \(shown.joined(separator: ", "))"
        default: return nil
        }
    }

    private static func percent(_ share: Double) -> String {
        "\(TableValue.number((share * 1e6).rounded() / 1e4).shown) %"
    }
}
