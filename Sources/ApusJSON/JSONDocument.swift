internal import CSimdjson
import Synchronization

/// A parsed JSON text, validated whole: grammar, UTF-8, numbers in range, nesting within bounds.
///
/// Values are read through ``JSONValue``, which walks the tape without copying. A document keeps its parser until it
/// is released; parsers are reused, so that parsing allocates nothing in the steady state.
package final class JSONDocument {
    /// Why a text was refused.
    package struct SyntaxError: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The deepest nesting that is accepted.
    package static let maximumDepth = 64

    let tape: UnsafePointer<UInt64>
    let strings: UnsafePointer<UInt8>
    private let parser: ParserPool.Parser

    /// - Throws: ``SyntaxError``.
    package init(parsing bytes: UnsafeRawBufferPointer) throws {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { throw SyntaxError(description: "the text is empty") }
        let parser = ParserPool.shared.take()
        guard let parser else { throw SyntaxError(description: "no memory for a parser") }
        var parsed = apus_json_tape()
        let code = apus_json_parse(
            parser.handle,
            start.assumingMemoryBound(to: UInt8.self),
            bytes.count,
            Self.maximumDepth,
            &parsed
        )
        guard code == 0, let tape = parsed.tape, let strings = parsed.strings else {
            ParserPool.shared.giveBack(parser, used: bytes.count)
            throw SyntaxError(description: String(cString: apus_json_error_text(code)))
        }
        self.parser = parser
        self.tape = tape
        self.strings = strings
        size = bytes.count
    }

    private let size: Int

    deinit { ParserPool.shared.giveBack(parser, used: size) }

    /// The outermost value.
    package var root: JSONValue { JSONValue(document: self, index: 1) }
}

/// Keeps a few parsers for reuse.
private final class ParserPool: Sendable {
    /// Sound because a parser belongs to one document at a time.
    struct Parser: @unchecked Sendable {
        let handle: OpaquePointer
    }

    static let shared = ParserPool()
    private static let keptParsers = 8
    /// A parser that grew beyond this is freed, so that one huge body does not hold memory for ever.
    private static let keptBytes = 4 << 20

    private let idle = Mutex<[Parser]>([])

    func take() -> Parser? {
        if let parser = idle.withLock({ $0.popLast() }) { return parser }
        return apus_json_parser_new().map(Parser.init)
    }

    func giveBack(_ parser: Parser, used: Int) {
        let kept = idle.withLock { idle in
            guard used <= Self.keptBytes, idle.count < Self.keptParsers else { return false }
            idle.append(parser)
            return true
        }
        if !kept { apus_json_parser_free(parser.handle) }
    }
}
