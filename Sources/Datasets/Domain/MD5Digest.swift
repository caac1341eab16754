internal import ApusKernel
package import Crypto

/// The MD5 of a file's bytes: the name that DVC knows the file by.
///
/// It names and finds files; it vouches for nothing, since two contents with one MD5 can be made. Digests order as
/// their hexadecimal texts do.
package struct MD5Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The number of bytes in a digest.
    package static let byteCount = 16

    // Two big-endian words, so that comparing them compares the bytes.
    private let first: UInt64
    private let second: UInt64

    /// A digest from its 16 bytes in memory, or nil for another number of them.
    package init?(raw bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        first = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        second = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// A digest from its 16 bytes, or nil for another number of them.
    package init?(bytes: [UInt8]) {
        guard let digest = bytes.withUnsafeBytes({ MD5Digest(raw: $0) }) else { return nil }
        self = digest
    }

    /// A digest from 32 hexadecimal digits of either case, or nil for any other text.
    package init?(hex: String) {
        var words: [UInt64] = [0, 0]
        var count = 0
        for digit in hex.utf8 {
            guard let value = Hexadecimal.value(of: digit), count < Self.byteCount * 2 else { return nil }
            words[count / 16] = words[count / 16] << 4 | UInt64(value)
            count += 1
        }
        guard count == Self.byteCount * 2 else { return nil }
        (first, second) = (words[0], words[1])
    }

    /// The result of a hash function.
    package init(_ digest: Insecure.MD5.Digest) {
        var words: [UInt64] = [0, 0]
        for (position, byte) in digest.enumerated() {
            words[position / 8] = words[position / 8] << 8 | UInt64(byte)
        }
        (first, second) = (words[0], words[1])
    }

    /// Appends the 16 bytes, without an array of its own.
    package func append(to bytes: inout [UInt8]) {
        withUnsafeBytes(of: (first.bigEndian, second.bigEndian)) { bytes.append(contentsOf: $0) }
    }

    /// The 16 bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// 32 lower-case hexadecimal digits.
    package var hex: String {
        String(unsafeUninitializedCapacity: Self.byteCount * 2) { buffer in
            for (position, byte) in bytes.enumerated() {
                buffer[position * 2] = Hexadecimal.digit(byte >> 4)
                buffer[position * 2 + 1] = Hexadecimal.digit(byte)
            }
            return Self.byteCount * 2
        }
    }

    package var description: String { hex }

    package static func < (left: MD5Digest, right: MD5Digest) -> Bool {
        (left.first, left.second) < (right.first, right.second)
    }
}
