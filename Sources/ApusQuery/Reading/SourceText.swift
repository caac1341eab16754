/// A text as an array of code points, which is what the language is defined on.
///
/// Working on characters would join a quote and a combining mark that follows it.
struct SourceText: Sendable {
    let scalars: [Unicode.Scalar]

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    var count: Int { scalars.count }
    var isBlank: Bool { scalars.allSatisfy(\.isBlank) }
    /// The whole text.
    var string: String { self[0..<count] }

    /// The code point at `index`; nil outside of the text.
    func peek(_ index: Int) -> Unicode.Scalar? {
        scalars.indices.contains(index) ? scalars[index] : nil
    }

    /// The part of the text in `range`, which is cut to the text's bounds.
    subscript(range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range.clamped(to: 0..<count)])
        return String(view)
    }

    /// The UTF-16 code units of the code points in `range`, which is cut to the text's bounds.
    func codeUnits(_ range: Range<Int>) -> Range<Int> {
        let range = range.clamped(to: 0..<count)
        let start = scalars[..<range.lowerBound].reduce(0) { $0 + UTF16.width($1) }
        return start..<scalars[range].reduce(start) { $0 + UTF16.width($1) }
    }

    /// The first index at or after `start` whose code point does not satisfy `condition`.
    func end(from start: Int, while condition: (Unicode.Scalar) -> Bool) -> Int {
        var index = start
        while let scalar = peek(index), condition(scalar) { index += 1 }
        return index
    }

    /// Whether the ASCII text `word` stands at `index`, regardless of case.
    func has(_ word: StaticString, at index: Int) -> Bool {
        word.withUTF8Buffer { bytes in
            for (offset, byte) in bytes.enumerated() {
                guard let scalar = peek(index + offset), scalar.asciiUppercased.value == UInt32(byte) else {
                    return false
                }
            }
            return true
        }
    }
}
