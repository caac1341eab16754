#if canImport(Glibc)
    import Glibc
#endif

/// An IP address as bytes, so that no spelling of it matters.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 bytes for IPv4, 16 for IPv6, in network order.
    package let bytes: [UInt8]

    /// - Parameter bytes: 4 or 16 bytes in network order; nil for any other number.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads an address in its canonical spelling; short, octal, hexadecimal and zoned forms are none.
    package init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            bytes = withUnsafeBytes(of: &six) { Array($0) }
        } else {
            return nil
        }
    }

    package var isIPv4: Bool { bytes.count == 4 }

    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let made = bytes.withUnsafeBytes {
            inet_ntop(isIPv4 ? AF_INET : AF_INET6, $0.baseAddress, &text, socklen_t(text.count))
        }
        guard made != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the address belongs to the public Internet: not to this machine, a private network, a link, a group
    /// of receivers, or a range that is reserved or only for examples.
    ///
    /// An IPv4 address inside of an IPv6 one is judged as itself.
    ///
    /// - SeeAlso: The IANA special-purpose address registries, and RFC 6890.
    package var isPublic: Bool {
        if isIPv4 { return !Self.isSpecial(bytes[...]) }
        switch bytes.prefix(2) {
        case [0x20, 0x02]:
            return !Self.isSpecial(bytes[2..<6])
        case [0x00, 0x64] where bytes[2..<12].elementsEqual([0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]):
            return !Self.isSpecial(bytes[12...])
        case [0, 0] where bytes[2..<12].elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]):
            return !Self.isSpecial(bytes[12...])
        case [0x20, 0x01]:
            // 2001::/23 holds Teredo and other protocols, 2001:db8::/32 is for examples.
            return bytes[2] >= 2 && !(bytes[2] == 0x0D && bytes[3] == 0xB8)
        case [0x3F, 0xFF]:
            return bytes[2] >= 0x10
        default:
            return bytes[0] & 0xE0 == 0x20
        }
    }

    /// Whether an IPv4 address is not on the public Internet.
    private static func isSpecial(_ address: ArraySlice<UInt8>) -> Bool {
        let value = address.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return specialRanges.contains { value >> (32 - $0.bits) == $0.prefix >> (32 - $0.bits) }
    }

    private static let specialRanges: [(prefix: UInt32, bits: UInt32)] = [
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16),
        (0xAC10_0000, 12), (0xC000_0000, 24), (0xC000_0200, 24), (0xC058_6300, 24), (0xC0A8_0000, 16),
        (0xC612_0000, 15), (0xC633_6400, 24), (0xCB00_7100, 24), (0xE000_0000, 4), (0xF000_0000, 4),
    ]
}
