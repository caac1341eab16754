import ApusKernel
internal import CSQLite

/// SQL functions that replace SQLite's own.
enum SQLiteFunctions {
    /// Replaces `LIKE` by a case-sensitive match in time proportional to pattern times text.
    ///
    /// SQLite's own ignores ASCII case and backtracks exponentially, so that one filter could stop a reader.
    ///
    /// - Parameters:
    ///   - handle: The connection.
    ///   - deadline: Monotonic nanoseconds after which a match is interrupted; 0 for never.
    static func register(on handle: OpaquePointer, deadline: UnsafeMutablePointer<UInt64>) {
        sqlite3_create_function_v2(
            handle,
            "like",
            2,
            SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
            deadline,
            { context, count, arguments in
                guard count == 2, let arguments, let pattern = text(arguments[0]), let value = text(arguments[1]) else {
                    sqlite3_result_null(context)
                    return
                }
                let limit = sqlite3_user_data(context)?.assumingMemoryBound(to: UInt64.self).pointee ?? 0
                guard let matches = likeMatches(pattern: pattern, value: value, deadline: limit) else {
                    sqlite3_result_error_code(context, SQLITE_INTERRUPT)
                    return
                }
                sqlite3_result_int(context, matches ? 1 : 0)
            },
            nil,
            nil,
            nil
        )
    }
}

/// The UTF-8 of an argument, or nil for NULL; valid during the call.
private func text(_ value: OpaquePointer?) -> UnsafeBufferPointer<UInt8>? {
    guard let value, let bytes = sqlite3_value_text(value) else { return nil }
    return UnsafeBufferPointer(start: bytes, count: Int(sqlite3_value_bytes(value)))
}

/// Whether `value` matches a pattern in which `%` stands for any text and `_` for one character.
///
/// Greedy with one point of return, so no pattern takes more than `pattern × value` steps. SQLite looks at its own
/// limit between steps of the statement only, and a whole match is one step.
///
/// - Returns: Nil when the deadline, in monotonic nanoseconds, has passed; 0 is none.
private func likeMatches(
    pattern: UnsafeBufferPointer<UInt8>,
    value: UnsafeBufferPointer<UInt8>,
    deadline: UInt64
) -> Bool? {
    var steps = 0
    var patternIndex = 0
    var valueIndex = 0
    var returnPattern = -1
    var returnValue = 0
    while valueIndex < value.count {
        steps &+= 1
        if steps & 0xFFFF == 0, deadline > 0, monotonicNanoseconds() > deadline { return nil }
        if patternIndex < pattern.count, pattern[patternIndex] == UInt8(ascii: "%") {
            patternIndex += 1
            returnPattern = patternIndex
            returnValue = valueIndex
        } else if patternIndex < pattern.count, pattern[patternIndex] == UInt8(ascii: "_") {
            patternIndex += 1
            valueIndex = endOfCharacter(in: value, from: valueIndex)
        } else if patternIndex < pattern.count, pattern[patternIndex] == value[valueIndex] {
            patternIndex += 1
            valueIndex += 1
        } else if returnPattern >= 0 {
            returnValue = endOfCharacter(in: value, from: returnValue)
            valueIndex = returnValue
            patternIndex = returnPattern
        } else {
            return false
        }
    }
    while patternIndex < pattern.count, pattern[patternIndex] == UInt8(ascii: "%") { patternIndex += 1 }
    return patternIndex == pattern.count
}

/// The index after the UTF-8 character at `index`.
private func endOfCharacter(in text: UnsafeBufferPointer<UInt8>, from index: Int) -> Int {
    var next = index + 1
    while next < text.count, text[next] & 0xC0 == 0x80 { next += 1 }
    return next
}
