/// Writes text into URLs.
///
/// - SeeAlso: RFC 3986, section 2.3, for the characters that stand for themselves.
package enum PercentEncoding {
    /// A query value or one segment of a path.
    package static func component(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }

    /// A path whose segments are joined by `/`.
    package static func path(_ text: String) -> String {
        text.split(separator: "/", omittingEmptySubsequences: false)
            .map { component(String($0)) }.joined(separator: "/")
    }
}
