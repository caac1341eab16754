internal import CSimdjson

/// Writes numbers as JSON.
package enum JSONNumberText {
    /// The most bytes that a number and the comma before it take.
    package static let maximumBytes = 28

    /// Writes numbers divided by commas, each the shortest text that reads as the same number.
    ///
    /// What is not finite becomes `null`, or one of the tokens `NaN`, `Infinity` and `-Infinity`, which are no JSON and
    /// which Python and Triton take for it.
    ///
    /// The values are whole elements of `layout` and need not be aligned; the output has room for ``maximumBytes`` for
    /// each. Returns how many bytes were written.
    package static func write(
        _ values: UnsafeRawBufferPointer,
        as layout: JSONNumberLayout,
        tokens: Bool,
        to output: UnsafeMutableRawBufferPointer
    ) -> Int {
        let count = values.count / layout.width
        guard count > 0, let start = output.baseAddress, output.count / maximumBytes >= count else { return 0 }
        return apus_json_write_numbers(
            layout.native,
            values.baseAddress,
            count,
            tokens,
            start.assumingMemoryBound(to: UInt8.self)
        )
    }
}

extension JSONNumberLayout {
    fileprivate var native: apus_json_number_layout {
        switch self {
        case .bool: APUS_JSON_BOOL
        case .int8: APUS_JSON_INT8
        case .int16: APUS_JSON_INT16
        case .int32: APUS_JSON_INT32
        case .int64: APUS_JSON_INT64
        case .uint8: APUS_JSON_UINT8
        case .uint16: APUS_JSON_UINT16
        case .uint32: APUS_JSON_UINT32
        case .uint64: APUS_JSON_UINT64
        case .float16: APUS_JSON_FLOAT16
        case .bfloat16: APUS_JSON_BFLOAT16
        case .float: APUS_JSON_FLOAT
        case .double: APUS_JSON_DOUBLE
        }
    }
}
