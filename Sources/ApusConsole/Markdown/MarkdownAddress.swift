/// Addresses that a client's text points to.
enum MarkdownAddress {
    /// Whether a link may lead there: to another page of the web or to a mail, never to a script or into this server.
    static func isAllowed(_ address: String) -> Bool {
        let lower = address.prefix(8).lowercased()
        let isKnown = ["http://", "https://", "mailto:"].contains { lower.hasPrefix($0) }
        // Browsers drop or mend these, so what they open would differ from what was checked.
        let isPlain = !address.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\\") }
        return isKnown && isPlain && address.utf8.count <= 2_048
    }

    /// A link that tells its target nothing about the page.
    static func link(_ address: String, title: String = "", _ content: HTML) -> HTML {
        Element.a(
            Attribute("href", address),
            Attribute("rel", "noopener noreferrer nofollow"),
            title.isEmpty ? nil : .title(title)
        ) { content }
    }

    /// A text whose bare web addresses are links.
    static func linked(_ text: String) -> HTML {
        let bytes = Array(text.utf8)
        var parts: [HTML] = []
        var shown = 0
        var at = 0
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: ":"), let start = scheme(before: at, in: bytes), start >= shown else {
                at += 1
                continue
            }
            let end = end(of: bytes[at...])
            let address = String(decoding: bytes[start..<end], as: UTF8.self)
            at = max(end, at + 1)
            guard isAllowed(address), address.utf8.last != UInt8(ascii: "/") || address.utf8.count > 8 else { continue }
            parts.append(HTML(String(decoding: bytes[shown..<start], as: UTF8.self)))
            parts.append(link(address, HTML(address)))
            shown = end
        }
        return HTMLBuilder.buildArray(parts + [HTML(String(decoding: bytes[shown...], as: UTF8.self))])
    }

    /// Where the scheme begins that ends at a colon, if no letter stands before it.
    private static func scheme(before colon: Int, in bytes: [UInt8]) -> Int? {
        guard bytes[colon...].starts(with: "://".utf8) else { return nil }
        for name in ["https", "http"] {
            let start = colon - name.utf8.count
            guard start >= 0, bytes[start..<colon].map({ $0 | 0x20 }).elementsEqual(name.utf8) else { continue }
            return start == 0 || !isLetter(bytes[start - 1]) ? start : nil
        }
        return nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// Where an address ends: before the marks that end the sentence around it.
    private static func end(of bytes: ArraySlice<UInt8>) -> Int {
        var address = bytes.prefix { $0 > 0x20 && $0 != 0x7F && !"<>\"'`\\".utf8.contains($0) }
        var open = address.count { $0 == UInt8(ascii: "(") } - address.count { $0 == UInt8(ascii: ")") }
        while let last = address.last {
            if last == UInt8(ascii: ")"), open < 0 {
                open += 1
            } else if !".,:;!?*_~".utf8.contains(last) {
                break
            }
            address.removeLast()
        }
        return address.endIndex
    }
}
