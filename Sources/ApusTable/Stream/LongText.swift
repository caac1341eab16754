/// Texts that are too long to be sent whole.
///
/// Of a text of 2 KiB or more its beginning, its digest and its length are sent, so that a chunk of the longest texts is
/// bounded. What is sent is never shorter than that limit, and other texts always are.
package struct LongText {
    /// Bytes from which on a text is long.
    static let limit = 2048
    /// Characters of the beginning, which may be several bytes each.
    private static let headCharacters = 256
    private static let digestBytes = 32
    private static let lengthDigits = 20

    /// The beginning, of UTF-8.
    package let head: UnsafeRawBufferPointer
    /// What stands for all of it: its MD5 and its length, as text.
    package let identity: UnsafeRawBufferPointer
    /// The length in Unicode scalars.
    package let characterCount: Int

    /// - Returns: Nil for a text that is sent whole.
    @inline(__always)
    package init?(_ text: UnsafeRawBufferPointer) {
        guard text.count >= Self.limit else { return nil }
        self.init(sent: text)
    }

    private init?(sent text: UnsafeRawBufferPointer) {
        identity = UnsafeRawBufferPointer(rebasing: text[(text.count - Self.digestBytes - Self.lengthDigits)...])
        var count = 0
        for byte in identity.suffix(Self.lengthDigits) {
            guard 0x30...0x39 ~= byte, count < 1 << 55 else { return nil }
            count = count * 10 + Int(byte - 0x30)
        }
        characterCount = count
        var characters = 0
        var end = 0
        while end < text.count {
            if text[end] & 0xC0 != 0x80 { characters += 1 }
            if characters > Self.headCharacters { break }
            end += 1
        }
        head = UnsafeRawBufferPointer(rebasing: text[..<end])
    }

    /// The expression that sends a text.
    static func select(_ text: String) -> String {
        """
        CASE WHEN strlen(\(text)) < \(limit) THEN \(text) ELSE left(\(text), \(headCharacters)) || \
        repeat(' ', \(limit)) || md5(\(text)) || lpad(CAST(length(\(text)) AS VARCHAR), \(lengthDigits), '0') END
        """
    }
}
