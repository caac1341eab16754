/// Looks for parts of a YAML text that refer to others.
///
/// What an anchor marks may stand in many places, and such places may be marked again, so that a few lines stand for
/// more than any memory. How deep a text is nested libyaml bounds itself, by 1000 levels.
enum YAMLShape {
    /// A name that is both marked by `&` and referred to by `*` somewhere, also in quotes; nil when there is none.
    static func reference(in text: String) -> String? {
        let bytes = Array(text.utf8)
        let marked = names(after: UInt8(ascii: "&"), in: bytes)
        guard !marked.isEmpty else { return nil }
        return names(after: UInt8(ascii: "*"), in: bytes).intersection(marked).min()
    }

    /// libyaml's names are of letters, digits, `_` and `-`.
    private static func names(after sign: UInt8, in bytes: [UInt8]) -> Set<String> {
        var found = Set<String>()
        for place in bytes.indices where bytes[place] == sign {
            let name = bytes[(place + 1)...].prefix { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
            if !name.isEmpty { found.insert(String(decoding: name, as: UTF8.self)) }
        }
        return found
    }
}
