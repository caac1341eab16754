import ApusKernel

/// Decodes percent-escapes once, and a plus sign as a space when `plusIsSpace`, as in a query string.
///
/// A percent sign without two hexadecimal digits behind it stays as it is.
///
/// - Throws: `INVALID_PARAMETER_VALUE` when the result is not UTF-8.
package func percentDecoded(_ text: Substring, plusIsSpace: Bool = false) throws -> String {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") || $0 >= 0x80 }) else {
        return String(text)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(Hexadecimal.value),
            let low = rest.dropFirst().first.flatMap(Hexadecimal.value)
        {
            bytes.append(high << 4 | low)
            rest = rest.dropFirst(2)
        } else {
            bytes.append(byte == UInt8(ascii: "+") && plusIsSpace ? UInt8(ascii: " ") : byte)
        }
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
        throw RequestError.invalid("The request's address is not valid UTF-8.")
    }
    return decoded
}

/// Percent-encodes all but unreserved characters and `/`.
package func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "/"):
            bytes.append(byte)
        default:
            bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
