import ApusGateway

/// An address of this server that pages may point to.
///
/// It is made from parts and never from a client's text as a whole, so that none leads to a script.
package struct Link: Sendable, Hashable {
    /// The address, with its segments and arguments encoded; relative to the root, which every
    /// page names as its base, so that pages work behind any prefix.
    package let text: String

    /// An address on this server: segments, which are encoded, and arguments.
    package init(_ segments: String..., query: [(String, String)] = [], fragment: String = "") {
        self.init(segments: segments, query: query, fragment: fragment)
    }

    /// An address on this server.
    package init(segments: [String], query: [(String, String)] = [], fragment: String = "") {
        var text = segments.map(Self.encoded).joined(separator: "/")
        if !query.isEmpty {
            text += "?" + query.map { "\(Self.encoded($0.0))=\(Self.encoded($0.1))" }.joined(separator: "&")
        }
        if !fragment.isEmpty { text += "#\(Self.encoded(fragment))" }
        self.text = text
    }

    private static func encoded(_ text: String) -> String {
        // A slash inside a segment would divide it.
        text.split(separator: "/", omittingEmptySubsequences: false).map { percentEncoded(String($0)) }
            .joined(separator: "%2F")
    }
}
