/// Base64 with padding, in the standard alphabet.
package enum Base64Text {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// Bytes outside of the alphabet have the value 255.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            bitCount += 8
            while bitCount >= 6 {
                bitCount -= 6
                result.append(alphabet[Int(bits >> bitCount & 63)])
            }
            bits &= (1 << bitCount) - 1
        }
        if bitCount > 0 { result.append(alphabet[Int(bits << (6 - bitCount) & 63)]) }
        while result.count % 4 != 0 { result.append(0x3D) }
        return String(decoding: result, as: UTF8.self)
    }

    /// The bytes of `text`; nil when it is not ASCII or its padding is wrong.
    ///
    /// As in Python, marks outside of the alphabet and whatever stands behind the padding are skipped.
    package static func decode(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var position = 0
        var padding = 0
        for byte in text.utf8 {
            guard byte < 0x80 else { return nil }
            if byte == 0x3D {
                padding += 1
                if position >= 2 && position + padding >= 4 { return result }
                continue
            }
            let value = values[Int(byte)]
            guard value < 64 else { continue }
            padding = 0
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            position = (position + 1) % 4
            switch position {
            case 2: result.append(UInt8(truncatingIfNeeded: bits >> 4))
            case 3: result.append(UInt8(truncatingIfNeeded: bits >> 2))
            case 0: result.append(UInt8(truncatingIfNeeded: bits))
            default: break
            }
        }
        return position == 0 ? result : nil
    }
}
