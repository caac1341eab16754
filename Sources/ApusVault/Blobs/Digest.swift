import ApusKernel
internal import Crypto

/// The SHA-256 of a blob's bytes, which is the blob's only name.
///
/// Digests order as their hexadecimal texts do.
package struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The number of bytes in a digest.
    package static let byteCount = 32

    // Four big-endian words: no allocation, and comparing them compares the bytes.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// A digest from its 32 bytes, or nil for another number of them.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(thirtyTwo: bytes)
    }

    /// A digest from 64 hexadecimal digits of either case, or nil for any other text.
    package init?(hex: String) {
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in hex.utf8 {
            guard let value = Hexadecimal.value(of: digit), bytes.count < Self.byteCount else { return nil }
            if let complete = high {
                bytes.append(complete << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        guard high == nil else { return nil }
        self.init(bytes: bytes)
    }

    /// The digest of a content that is in memory.
    package init(hashing bytes: [UInt8]) {
        self.init(SHA256.hash(data: bytes))
    }

    /// The digest of a content that lies in memory.
    package init(hashing bytes: UnsafeRawBufferPointer) {
        var hasher = SHA256()
        hasher.update(bufferPointer: bytes)
        self.init(hasher.finalize())
    }

    init(_ digest: SHA256.Digest) {
        self.init(thirtyTwo: digest)
    }

    /// A digest from its 32 bytes in memory, or nil for another number of them.
    package init?(raw bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        first = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        second = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        third = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        fourth = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    }

    private init(thirtyTwo bytes: some Sequence<UInt8>) {
        var iterator = bytes.makeIterator()
        func word() -> UInt64 {
            (0..<8).reduce(0) { word, _ in word << 8 | UInt64(iterator.next() ?? 0) }
        }
        first = word()
        second = word()
        third = word()
        fourth = word()
    }

    /// The 32 bytes.
    package var bytes: [UInt8] {
        [first, second, third, fourth].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - $0 * 8)) }
        }
    }

    /// Appends the 32 bytes, without an array of its own.
    package func append(to bytes: inout [UInt8]) {
        withUnsafeBytes(of: (first.bigEndian, second.bigEndian, third.bigEndian, fourth.bigEndian)) {
            bytes.append(contentsOf: $0)
        }
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        String(unsafeUninitializedCapacity: Self.byteCount * 2) { buffer in
            for (position, byte) in bytes.enumerated() {
                buffer[position * 2] = Hexadecimal.digit(byte >> 4)
                buffer[position * 2 + 1] = Hexadecimal.digit(byte)
            }
            return Self.byteCount * 2
        }
    }

    /// The first two bytes, by which blobs are spread over folders.
    var prefix: UInt16 { UInt16(truncatingIfNeeded: first >> 48) }

    package var description: String { hex }

    package static func < (left: Digest, right: Digest) -> Bool {
        (left.first, left.second, left.third, left.fourth) < (right.first, right.second, right.third, right.fourth)
    }
}
