/// The attributes of one kind of search, found by spelling.
struct SearchAttributes: Sendable {
    let all: [SearchAttribute]
    private let bySpelling: [String: SearchAttribute]

    init(_ all: [SearchAttribute]) {
        self.all = all
        let pairs = all.flatMap { attribute in attribute.spellings.map { ($0, attribute) } }
        bySpelling = Dictionary(pairs) { first, _ in first }
    }

    subscript(spelling: String) -> SearchAttribute? { bySpelling[spelling] }

    /// Every accepted spelling.
    var spellings: [String] { all.flatMap(\.spellings) }
    /// The spellings of the numeric attributes.
    var numericSpellings: [String] { all.filter(\.isNumeric).flatMap(\.spellings) }
    /// The names of the attributes that take lists, in alphabetical order.
    var listNames: [String] { all.filter(\.takesLists).map(\.name).sorted() }
}
