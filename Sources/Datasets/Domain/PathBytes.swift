#if canImport(Glibc)
    internal import Glibc
#endif

/// Comparing texts by their bytes.
enum PathBytes {
    /// Runs `body` with the UTF-8 of a text, in place where the text is stored so, as all of ours are.
    static func with<Result>(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = text.utf8.withContiguousStorageIfAvailable(body) { return result }
        return Array(text.utf8).withUnsafeBufferPointer(body)
    }

    /// Orders two texts, each with another byte behind it or none.
    ///
    /// - Returns: A negative number when the left one comes first, zero when they are equal, else a positive number.
    static func compare(_ left: String, _ leftSuffix: UInt8?, _ right: String, _ rightSuffix: UInt8?) -> Int {
        with(left) { left in
            with(right) { right in
                let common = min(left.count, right.count)
                if common > 0, let one = left.baseAddress, let other = right.baseAddress {
                    let order = memcmp(one, other, common)
                    if order != 0 { return Int(order) }
                }
                let leftCount = left.count + (leftSuffix == nil ? 0 : 1)
                let rightCount = right.count + (rightSuffix == nil ? 0 : 1)
                // At most two bytes on: a suffix is one byte.
                var position = common
                while position < leftCount, position < rightCount {
                    let one = position < left.count ? left[position] : leftSuffix ?? 0
                    let other = position < right.count ? right[position] : rightSuffix ?? 0
                    if one != other { return Int(one) - Int(other) }
                    position += 1
                }
                return leftCount - rightCount
            }
        }
    }
}
