import ApusKernel
import ApusQuery
import Testing

@Suite struct FilterPropertyTests {
    private static let schemas: [SearchSchema] = [
        .runs, .experiments, .registeredModels, .modelVersions, .loggedModels,
    ]

    @Test(arguments: 0..<5)
    func `a printed filter reads back as itself`(schema index: Int) throws {
        let schema = Self.schemas[index]
        var printed = 0
        for answer in Answer.all where !answer.search.hasSuffix("_order") {
            guard let filter = try? schema.parse(filter: answer.text), !Self.hasNaN(filter) else { continue }
            let text = try #require(PrintedFilter(filter, in: schema).text, "\(answer.text)")
            #expect(try schema.parse(filter: text) == filter, "\(answer.text)")
            printed += 1
        }
        #expect(printed > 20)
    }

    @Test(arguments: 0..<5)
    func `random trees read back as themselves`(schema index: Int) throws {
        let schema = Self.schemas[index]
        let leaves = Answer.all.compactMap { try? schema.parse(filter: $0.text)?.comparisons.first }
            .filter {
                !Self.hasNaN(.comparison($0))
                    && PrintedFilter(.and([.comparison($0), .comparison($0)]), in: schema).text != nil
            }
        var generator = SeededGenerator(seed: UInt64(index) + 1)
        for _ in 0..<100 {
            let tree = try #require(Self.tree(leaves, depth: 4, &generator))
            let text = try #require(PrintedFilter(tree, in: schema).text)
            #expect(try schema.parse(filter: text) == tree, "\(text)")
        }
    }

    @Test(arguments: 0..<5)
    func `a mistake says what the search says, and lies within the filter`(schema index: Int) {
        let schema = Self.schemas[index]
        var placed = 0
        for answer in Answer.all where !answer.search.hasSuffix("_order") {
            var message: String?
            do { _ = try schema.parse(filter: answer.text) } catch { message = (error as? RequestError)?.message }
            let mistake = schema.mistake(in: answer.text)
            #expect(mistake?.message == message, "\(answer.text)")
            guard let range = mistake?.range else { continue }
            #expect(!range.isEmpty && range.upperBound <= answer.text.utf16.count, "\(answer.text)")
            placed += 1
        }
        #expect(placed > 20)
    }

    @Test(arguments: 0..<5)
    func `random changes of bytes never crash`(schema index: Int) {
        let schema = Self.schemas[index]
        var generator = SeededGenerator(seed: UInt64(index) + 100)
        for answer in Answer.all {
            var bytes = Array(answer.text.utf8)
            for _ in 0..<3 {
                let place = Int.random(in: 0...bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                case 1 where place < bytes.count: bytes.remove(at: place)
                default:
                    if place < bytes.count {
                        bytes[place] = Array("'\"`()[],.;\\ ".utf8).randomElement(using: &generator) ?? 0
                    }
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            Self.expectOnlyRequestErrors { _ = try schema.parse(filter: text) }
            Self.expectOnlyRequestErrors { _ = try schema.parse(orderBy: [text]) }
            Self.expectOnlyRequestErrors { _ = try PageToken(decoding: text) }
        }
    }

    /// Quadratic reading of the largest filters would be felt here.
    @Test(arguments: [
        "(", ")", "'", "\"", "`", "''", "\\'", "[", "[a", "/*", "*/", "--", ".", "a.", "a ", "NOT ", "a(", "((", "1",
        "1.",
        "a[", "desc ", ",", "a,", "-", "AND ", "OR ", "a > 1 OR ", "(a > 1) AND ", "IN (", "a IN ('b') ", "%(", "$",
        "::",
        "a::", ";", "#", "# ", "\n", "é", "😀", "a>1>", "NOT NOT ", "date 'a' ", "a-- \n", "e1", "0x", "12a", "AS ",
    ])
    func `long inputs of one piece are read in bounded time`(piece: String) {
        let text = String(repeating: piece, count: 16_384 / piece.utf8.count)
        for schema in [SearchSchema.runs, .loggedModels] {
            Self.expectOnlyRequestErrors { _ = try schema.parse(filter: text) }
            Self.expectOnlyRequestErrors { _ = try schema.parse(orderBy: [text]) }
        }
        Self.expectOnlyRequestErrors { _ = try SearchSchema.runs.parse(filter: "run_id IN ('\(text.dropLast(20))')") }
    }

    private static func expectOnlyRequestErrors(_ body: () throws -> Void) {
        do {
            try body()
        } catch let error as RequestError {
            #expect(error.code == .invalidParameterValue)
        } catch {
            Issue.record("\(error)")
        }
    }

    private static func tree(_ leaves: [Comparison], depth: Int, _ generator: inout SeededGenerator) -> Filter? {
        let kind = depth == 0 ? 0 : Int.random(in: 0..<3, using: &generator)
        guard kind > 0 else { return leaves.randomElement(using: &generator).map(Filter.comparison) }
        let parts = (0..<2).compactMap { _ in tree(leaves, depth: depth - 1, &generator) }
        return kind == 1 ? Filter.all(parts) : Filter.any(parts)
    }

    private static func hasNaN(_ filter: Filter) -> Bool {
        filter.comparisons.contains { $0.value.double?.isNaN == true }
    }
}

/// A small generator whose numbers are the same in each run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
