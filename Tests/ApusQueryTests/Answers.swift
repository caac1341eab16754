import ApusKernel
import ApusQuery
import FoundationEssentials

/// What the real MLflow answered to the corpus; see `Differential/ask_mlflow.py`.
struct Answer: Sendable {
    let search: String
    let text: String
    let status: Int
    let answer: String

    /// All recorded answers, in the order of the corpus.
    static let all: [Answer] = {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Differential/answers.tsv")
        guard let lines = try? String(contentsOf: url, encoding: .utf8) else { return [] }
        return lines.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map { unescaped($0) }
            guard fields.count == 4, let status = Int(fields[2]) else { return nil }
            return Answer(search: fields[0], text: fields[1], status: status, answer: fields[3])
        }
    }()

    private static func unescaped(_ text: Substring) -> String {
        var result = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                let plain: [Unicode.Scalar: Unicode.Scalar] = ["n": "\n", "t": "\t", "r": "\r"]
                result.append(plain[scalar] ?? scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// The schema of the answer's search, and whether the text is an order.
    private var schema: (SearchSchema, isOrder: Bool)? {
        let isOrder = search.hasSuffix("_order")
        return switch isOrder ? String(search.dropLast(6)) : search {
        case "runs": (.runs, isOrder)
        case "experiments": (.experiments, isOrder)
        case "registered_models": (.registeredModels, isOrder)
        case "model_versions": (.modelVersions, isOrder)
        case "logged_models": (.loggedModels, isOrder)
        default: nil
        }
    }

    /// What this package answers, in the same form.
    var ours: (status: Int, answer: String) {
        guard let (schema, isOrder) = schema else { return (500, "") }
        do {
            if isOrder {
                let terms = try schema.parse(orderBy: [text])
                return (200, terms.map(Self.shown).joined(separator: " AND "))
            }
            let filter = try schema.parse(filter: text)
            return (200, filter.map(Self.shown) ?? "")
        } catch let error as RequestError {
            return (error.code == .invalidParameterValue ? 400 : 500, error.message)
        } catch {
            return (500, "")
        }
    }

    private static func shown(_ filter: Filter) -> String {
        switch filter {
        case .comparison(let comparison): shown(comparison)
        case .and(let parts): parts.map(shown).joined(separator: " AND ")
        case .or(let parts): "(" + parts.map(shown).joined(separator: " OR ") + ")"
        }
    }

    private static func shown(_ comparison: Comparison) -> String {
        let value =
            switch comparison.value {
            case .none: "-"
            case .list(let items): PythonText.list(items)
            case .string(let text): PythonText.repr(text)
            case .integer, .number: comparison.value.double.map { PythonText.repr($0) } ?? ""
            }
        let key = PythonText.repr(comparison.key)
        return "\(comparison.entity.rawValue) \(key) \(comparison.comparator.rawValue) \(value)"
    }

    private static func shown(_ term: OrderTerm) -> String {
        "\(term.entity.rawValue) \(PythonText.repr(term.key)) \(term.ascending ? "ASC" : "DESC")"
    }
}
