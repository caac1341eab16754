/// An address on the web that the server itself may call, read strictly.
///
/// Whatever two readers could understand differently is refused: user names, backslashes, blanks, characters beyond
/// ASCII, and numbers that only some resolvers take for IP addresses.
package struct EgressURL: Sendable, Equatable {
    /// In lower case.
    package let scheme: String
    /// A name in lower case or an IP address, without brackets.
    package let host: String
    /// Nil for the scheme's own.
    package let port: Int?
    /// From the first `/`, with the query and without the fragment.
    package let target: String

    /// The address as it is called, put together again from its parts.
    package var text: String {
        let shown = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(shown)\(port.map { ":\($0)" } ?? "")\(target)"
    }

    /// - Throws: ``EgressError``.
    package init(_ text: String, subject: String, schemes: [String]) throws {
        guard text.utf8.count <= 2_048 else {
            throw EgressError.badAddress("\(subject) is longer than 2048 bytes.")
        }
        guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
            throw EgressError.badAddress("\(subject) cannot be empty or just whitespace: '\(text)'")
        }
        let head = text.prefix { $0 != ":" }
        let scheme = head.count < text.count ? head.lowercased() : ""
        guard schemes.contains(scheme) else {
            // Inside of a sentence.
            let named = "\(subject.prefix(1).lowercased())\(subject.dropFirst())"
            throw EgressError.badAddress(
                "Invalid \(named) scheme: '\(scheme)'. Allowed schemes are: \(schemes.joined(separator: ", "))."
            )
        }
        let rest = text[head.endIndex...].dropFirst()
        guard rest.hasPrefix("//"), rest.utf8.allSatisfy(Self.isPlain) else {
            throw EgressError.badAddress("\(subject) must include a hostname and only plain characters.")
        }
        let authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let tail = rest[authority.endIndex...].prefix { $0 != "#" }
        let (host, port) = try Self.split(authority, subject)
        self.scheme = scheme
        self.host = host
        self.port = port
        target = tail.hasPrefix("/") ? String(tail) : "/\(tail)"
    }

    private static func split(_ authority: Substring, _ subject: String) throws -> (host: String, port: Int?) {
        let bad = EgressError.badAddress("\(subject) must include a hostname and may not include credentials.")
        guard !authority.contains("@") else { throw bad }
        var host = authority.prefix { $0 != ":" }
        var rest = authority[host.endIndex...]
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw bad }
            host = authority[authority.startIndex..<end].dropFirst()
            rest = authority[end...].dropFirst()
            guard let address = NetworkAddress(String(host)), !address.isIPv4 else { throw bad }
        } else {
            guard isName(host) else { throw bad }
        }
        guard !rest.isEmpty else { return (host.lowercased(), nil) }
        guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()), port > 0 else {
            throw EgressError.badAddress("\(subject) has an invalid port.")
        }
        return (host.lowercased(), Int(port))
    }

    /// Whether it is a host name, or an IPv4 address in canonical form.
    private static func isName(_ host: Substring) -> Bool {
        let isMade = host.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
        }
        guard isMade, host.utf8.count <= 253, let last = host.split(separator: ".").last else { return false }
        let isNumber = last.utf8.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? true
        return !isNumber || NetworkAddress(String(host)) != nil
    }

    /// Printable ASCII that no reader of addresses treats specially.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"\"<>\\^`{|}".utf8.contains(byte)
    }
}
