/// The hash of all sketches: fast, without a seed, and the same for ever, because sketches are stored.
///
/// It stands no attack. Where somebody gains from a wrong estimate, do not let them choose the values.
package enum SketchHash {
    private static let secret: (UInt64, UInt64, UInt64, UInt64) = (
        0x2D35_8DCC_AA6C_78A5, 0x8BB8_4B93_962E_ACC9, 0x4B33_A62E_D433_D4A3, 0x4D5A_2DA5_1DE1_AA47
    )

    /// The golden ratio's fraction, which SplitMix64 counts by.
    static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The hash of bytes.
    ///
    /// - SeeAlso: Wang Yi, wyhash, final version 4.2 (github.com/wangyi-fudan/wyhash), with the default secret.
    package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 { hash(bytes, seed: 0) }

    /// The hash of a text's UTF-8.
    package static func hash(_ text: String) -> UInt64 {
        var text = text
        return text.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
    }

    /// The hash of a number: equal numbers have one hash, also 0 and −0, and all NaN.
    @inline(__always)
    package static func hash(_ value: Double) -> UInt64 {
        // The sum of −0 and 0 is 0.
        hash(bits: value.isNaN ? Double.nan.bitPattern : (value + 0).bitPattern)
    }

    /// The hash of an integer, which is that of the equal double where there is one: a column that one file has as
    /// integers and another as doubles is one column.
    @inline(__always)
    package static func hash(_ value: Int64) -> UInt64 {
        if value.magnitude <= 1 << 53 { return hash(bits: Double(value).bitPattern) }
        if let double = Double(exactly: value) { return hash(bits: double.bitPattern) }
        return hash(bits: UInt64(bitPattern: value) ^ secret.0)
    }

    /// The finaliser of SplitMix64: no two words have the same hash.
    ///
    /// - SeeAlso: D. Stafford, "Better Bit Mixing", 2011, variant 13.
    @inline(__always)
    package static func hash(bits: UInt64) -> UInt64 {
        var z = bits &+ gamma
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// The two halves of the product, one on the other.
    @inline(__always)
    private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    /// wyhash with a seed; the published test vectors have one.
    package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        @inline(__always) func word(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        @inline(__always) func half(_ offset: Int) -> UInt64 {
            UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        }
        let count = bytes.count
        var seed = seed ^ mix(seed ^ secret.0, secret.1)
        var a: UInt64 = 0
        var b: UInt64 = 0
        if count <= 16 {
            if count >= 4 {
                let middle = (count >> 3) << 2
                a = half(0) << 32 | half(middle)
                b = half(count - 4) << 32 | half(count - 4 - middle)
            } else if count > 0 {
                a = UInt64(bytes[0]) << 16 | UInt64(bytes[count >> 1]) << 8 | UInt64(bytes[count - 1])
            }
        } else {
            var place = 0
            var left = count
            if left >= 48 {
                var second = seed
                var third = seed
                repeat {
                    seed = mix(word(place) ^ secret.1, word(place + 8) ^ seed)
                    second = mix(word(place + 16) ^ secret.2, word(place + 24) ^ second)
                    third = mix(word(place + 32) ^ secret.3, word(place + 40) ^ third)
                    place += 48
                    left -= 48
                } while left >= 48
                seed ^= second ^ third
            }
            while left > 16 {
                seed = mix(word(place) ^ secret.1, word(place + 8) ^ seed)
                place += 16
                left -= 16
            }
            a = word(place + left - 16)
            b = word(place + left - 8)
        }
        let product = (a ^ secret.1).multipliedFullWidth(by: b ^ seed)
        return mix(product.low ^ secret.0 ^ UInt64(count), product.high ^ secret.1)
    }
}
