import ApusKernel

/// Reads the list of an `IN` test, which MLflow reads as a Python expression.
///
/// Texts may stand in any of Python's quotes, with escapes, side by side to be joined, and with the prefixes `r` and
/// `u`. Parentheses around a text or the whole list are allowed.
struct ListText {
    private indirect enum Item {
        case text(String)
        case tuple([Item])
        /// Something else, as Python prints it.
        case other(String)

        /// The item as Python prints it.
        var printed: String {
            switch self {
            case .text(let text): PythonText.repr(text)
            case .tuple(let items): PythonText.tuple(printed: items.map(\.printed))
            case .other(let other): other
            }
        }
    }

    private let source: SourceText
    private var position = 0

    private init(_ text: String) {
        source = SourceText(text)
    }

    /// The items of `text`, which includes the parentheses.
    ///
    /// - Throws: `RequestError` with MLflow's message when the list is empty, ill-formed, or holds anything but texts.
    static func items(of text: String) throws -> [String] {
        var reader = ListText(text)
        let whole = try reader.expression(depth: 0)
        guard reader.position == reader.source.count else { throw illFormed }
        let items = if case .tuple(let items) = whole { items } else { [whole] }
        guard !items.isEmpty else {
            throw RequestError.invalid(
                "While parsing a list in the query, expected a non-empty list of string values, but got empty list"
            )
        }
        let texts = items.compactMap { if case .text(let text) = $0 { text } else { nil } }
        guard texts.count == items.count else {
            throw RequestError.invalid(
                "While parsing a list in the query, expected string value, punctuation, or whitespace, but got "
                    + "different type in list: \(PythonText.tuple(printed: items.map(\.printed)))"
            )
        }
        return texts
    }

    private static let illFormed = RequestError.invalid(
        "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list."
    )

    /// Reads an item or what stands in parentheses.
    private mutating func expression(depth: Int) throws -> Item {
        guard depth <= SearchLimits.depth else { throw Self.illFormed }
        skipBlanks()
        guard take("(") else { return try item() }
        var items: [Item] = []
        var needsComma = false
        var hasComma = false
        while true {
            skipBlanks()
            if take(")") { break }
            if take(",") {
                guard needsComma else { throw Self.illFormed }
                (needsComma, hasComma) = (false, true)
                continue
            }
            guard !needsComma, position < source.count else { throw Self.illFormed }
            guard items.count < SearchLimits.listItems else {
                throw RequestError.invalid("A list in the filter has more than \(SearchLimits.listItems) items.")
            }
            items.append(try expression(depth: depth + 1))
            needsComma = true
        }
        // Parentheses around one item without a comma do not make a list.
        if let only = items.first, items.count == 1, !hasComma { return only }
        return .tuple(items)
    }

    private mutating func item() throws -> Item {
        guard var joined = try text() else { return .other(try other()) }
        skipBlanks()
        while let next = try text() {
            joined += next
            skipBlanks()
        }
        return .text(joined)
    }

    /// Reads a number or one of Python's constants.
    private mutating func other() throws -> String {
        let end = source.end(from: position) { $0.isWordPart || $0 == "." || $0 == "-" || $0 == "+" }
        let word = source[position..<end]
        position = end
        switch word {
        case "None", "True", "False": return word
        case _ where NumberText.isInteger(word): return word
        default:
            switch NumberText.value(word) {
            case .integer(let value): return String(value)
            case .number(let value): return PythonText.repr(value)
            default: throw Self.illFormed
            }
        }
    }

    /// Reads one quoted text with its prefix; nil when none begins here.
    private mutating func text() throws -> String? {
        var isRaw = false
        var start = position
        if let prefix = source.peek(start), "rRuU".unicodeScalars.contains(prefix) {
            isRaw = prefix == "r" || prefix == "R"
            start += 1
        }
        guard let quote = source.peek(start), quote == "'" || quote == "\"" else { return nil }
        let isTriple = source.peek(start + 1) == quote && source.peek(start + 2) == quote
        position = start + (isTriple ? 3 : 1)
        var result = String.UnicodeScalarView()
        while let scalar = source.peek(position) {
            position += 1
            switch scalar {
            case quote where !isTriple:
                return String(result)
            case quote where source.peek(position) == quote && source.peek(position + 1) == quote:
                position += 2
                return String(result)
            case "\n" where !isTriple, "\r" where !isTriple, "\0":
                throw Self.illFormed
            case "\\" where isRaw:
                result.append(scalar)
                if let next = source.peek(position) { result.append(next) }
                position += 1
            case "\\":
                var escape = PythonEscape(source: source, position: position)
                guard let resolved = escape.resolve() else { throw Self.illFormed }
                result.append(contentsOf: resolved)
                position = escape.position
            default:
                result.append(scalar)
            }
        }
        throw Self.illFormed
    }

    /// Skips blanks and comments.
    private mutating func skipBlanks() {
        position = source.end(from: position) { " \t\n\r\u{0C}".unicodeScalars.contains($0) }
        while source.peek(position) == "#" {
            position = source.end(from: position) { $0 != "\n" && $0 != "\r" }
            position = source.end(from: position) { " \t\n\r\u{0C}".unicodeScalars.contains($0) }
        }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard source.peek(position) == scalar else { return false }
        position += 1
        return true
    }
}
