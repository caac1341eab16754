import ApusKernel
import FoundationEssentials
import NIOHTTP1

/// What headers of answers say, read strictly.
enum HTTPAnswerFields {
    /// The name that `Content-Disposition` gives, without any folders.
    ///
    /// - SeeAlso: RFC 6266.
    static func fileName(_ headers: HTTPHeaders) -> String? {
        guard let field = headers.first(name: "Content-Disposition") else { return nil }
        let parameters = parameters(field)
        var name = parameters["filename"]
        if let extended = parameters["filename*"] {
            let parts = extended.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count == 3, parts[0].lowercased() == "utf-8", let decoded = percentDecoded(parts[2]) {
                name = decoded
            }
        }
        // Both slashes, whichever system the server takes us for.
        return name?.split { $0 == "/" || $0 == "\\" }.last.map(String.init)
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap({ Hexadecimal.value(of: $0) }),
                let low = rest.popFirst().flatMap({ Hexadecimal.value(of: $0) })
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The parameters of a field such as `attachment; filename="a b.csv"`.
    private static func parameters(_ field: String) -> [String: String] {
        var found: [String: String] = [:]
        var rest = Substring(field).drop { $0 != ";" }
        while rest.popFirst() != nil {
            let name = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest[name.endIndex...]
            guard rest.first == "=" else { continue }
            rest.removeFirst()
            var value = ""
            rest = rest.drop { $0 == " " }
            if rest.first == "\"" {
                rest.removeFirst()
                while let character = rest.popFirst(), character != "\"" {
                    value.append(character == "\\" ? rest.popFirst() ?? "\\" : character)
                }
                rest = rest.drop { $0 != ";" }
            } else {
                let token = rest.prefix { $0 != ";" }
                value = String(token.filter { $0 != " " })
                rest = rest[token.endIndex...]
            }
            found[name.filter { $0 != " " }.lowercased()] = value
        }
        return found
    }

    /// How long `Retry-After` asks to wait: seconds, or until a date.
    static func retryAfter(_ headers: HTTPHeaders, now: Int64) -> Duration? {
        guard let field = headers.first(name: "Retry-After") else { return nil }
        if let seconds = Int64(field) { return .seconds(min(max(seconds, 0), 1 << 32)) }
        return seconds(ofDate: field).map { .seconds(max(0, $0 - now)) }
    }

    /// Seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`; nil for anything else.
    ///
    /// - SeeAlso: RFC 9110, section 5.6.7.
    static func seconds(ofDate text: String) -> Int64? {
        let parts = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(parts[2])), let year = Int64(parts[3]),
            (1970...9999).contains(year)
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, clock.allSatisfy({ (0...60).contains($0) }) else { return nil }
        // Days from the civil calendar, with years that begin in March.
        let shifted = Int64(month + 10) % 12
        let civil = year - (month < 2 ? 1 : 0)
        let days = civil * 365 + civil / 4 - civil / 100 + civil / 400 + (shifted * 306 + 5) / 10 + day - 1
        return (days - 719_468) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
    }

    /// Where the bytes of a 206 are in the whole: `bytes 100-199/1000`; the size is nil when the server does not say.
    static func contentRange(_ headers: HTTPHeaders) -> (start: Int64, end: Int64, size: Int64?)? {
        guard let field = headers.first(name: "Content-Range"), field.lowercased().hasPrefix("bytes ") else {
            return nil
        }
        let parts = field.dropFirst(6).split(separator: "/")
        let ends = parts.first?.split(separator: "-").compactMap { Int64($0) } ?? []
        guard parts.count == 2, ends.count == 2, ends[0] >= 0, ends[1] >= ends[0] else { return nil }
        return (ends[0], ends[1], Int64(parts[1]))
    }
}

/// What a server says that the bytes hash to.
struct AnnouncedHashes: Sendable, Equatable {
    var sha256: [UInt8]?
    var md5: [UInt8]?

    /// Reads `Repr-Digest` and `Digest`, which are of the whole, and, for a whole answer, `Content-Digest` and
    /// `Content-MD5`.
    ///
    /// - SeeAlso: RFC 9530, RFC 3230, RFC 1864.
    init(_ headers: HTTPHeaders, isWhole: Bool) {
        var fields = headers["Repr-Digest"] + headers["Digest"]
        if isWhole { fields += headers["Content-Digest"] }
        for item in fields.flatMap({ $0.split(separator: ",") }) {
            guard let equals = item.firstIndex(of: "=") else { continue }
            let name = item[..<equals].filter { $0 != " " }.lowercased()
            let text = item[item.index(after: equals)...].filter { $0 != ":" && $0 != " " }
            guard let bytes = Data(base64Encoded: text) else { continue }
            if name == "sha-256", bytes.count == 32 { sha256 = Array(bytes) }
            if name == "md5", bytes.count == 16 { md5 = Array(bytes) }
        }
        if isWhole, let field = headers.first(name: "Content-MD5"), let bytes = Data(base64Encoded: field),
            bytes.count == 16
        {
            md5 = Array(bytes)
        }
    }
}

/// What tells whether a server still has the same bytes.
struct HTTPValidators: Sendable, Equatable {
    var etag: String?
    var lastModified: String?
    /// Whether two answers with these have the same bytes, not only the same meaning.
    var isStrong = false

    init(etag: String? = nil, lastModified: String? = nil) {
        self.etag = etag
        self.lastModified = lastModified
    }

    init(_ headers: HTTPHeaders) {
        etag = headers.first(name: "ETag")
        lastModified = headers.first(name: "Last-Modified")
        if let etag {
            isStrong = !etag.hasPrefix("W/")
        } else if let changed = lastModified.flatMap({ HTTPAnswerFields.seconds(ofDate: $0) }),
            let sent = headers.first(name: "Date").flatMap({ HTTPAnswerFields.seconds(ofDate: $0) })
        {
            // Within the same second it could have changed once more (RFC 9110, section 8.8.2.2).
            isStrong = sent > changed
        }
    }

    /// Asks for an answer only if there is something new.
    func addConditions(to headers: inout HTTPHeaders) {
        if let etag { headers.replaceOrAdd(name: "If-None-Match", value: etag) }
        if let lastModified { headers.replaceOrAdd(name: "If-Modified-Since", value: lastModified) }
    }
}
