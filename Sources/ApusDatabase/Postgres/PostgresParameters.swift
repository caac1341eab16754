internal import CPostgres

/// Bound values in PostgreSQL's binary format, in one buffer.
///
/// PostgreSQL's text cannot hold U+0000, so it is refused here, before a statement fails half way.
struct PostgresParameters {
    private(set) var types: [Oid] = []
    private var buffer: [UInt8] = []
    /// Where each value begins, or nil for NULL.
    private var starts: [Int?] = []
    private var lengths: [Int32] = []

    init(_ values: [SQLValue]) throws {
        for value in values { try append(value) }
    }

    init(_ rows: BulkInsert) throws {
        for column in rows.columns {
            switch column.values {
            case .integers(let numbers): try append(.integers(numbers))
            case .texts(let texts): try append(.texts(texts))
            case .blobs(let blobs):
                try append(PostgresType.byteaArray) { buffer in
                    Self.appendArrayHead(PostgresType.bytea, count: blobs.count, to: &buffer)
                    for blob in blobs {
                        Self.append(Int32(clamping: blob.count), to: &buffer)
                        buffer.append(contentsOf: blob)
                    }
                }
            case .reals(let numbers):
                try append(PostgresType.float8Array) { buffer in
                    Self.appendArrayHead(PostgresType.float8, count: numbers.count, to: &buffer)
                    for number in numbers {
                        Self.append(Int32(8), to: &buffer)
                        Self.append(number.bitPattern, to: &buffer)
                    }
                }
            }
        }
    }

    /// Calls `body` with the arrays that libpq wants.
    func withPointers<T>(
        _ body: (
            _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int32>?,
            _ formats: UnsafePointer<Int32>?
        ) -> T
    ) -> T {
        buffer.withUnsafeBytes { raw in
            let values = starts.map { start -> UnsafePointer<CChar>? in
                guard let start else { return nil }
                // An empty value still needs an address: a null one means NULL.
                guard let base = raw.baseAddress, start < raw.count else { return Self.empty }
                return (base + start).assumingMemoryBound(to: CChar.self)
            }
            let formats = [Int32](repeating: 1, count: values.count)
            return values.withUnsafeBufferPointer { values in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { body(values.baseAddress, lengths.baseAddress, $0.baseAddress) }
                }
            }
        }
    }

    /// One zero byte that lives as long as the process and is never written.
    private nonisolated(unsafe) static let empty: UnsafePointer<CChar> = {
        let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafePointer(byte)
    }()

    private mutating func append(_ value: SQLValue) throws {
        switch value {
        case .null:
            types.append(0)
            starts.append(nil)
            lengths.append(0)
        case .integer(let number):
            try append(PostgresType.int8) { Self.append(number, to: &$0) }
        case .real(let number):
            try append(PostgresType.float8) { Self.append(number.bitPattern, to: &$0) }
        case .text(let text):
            try append(PostgresType.text) { try Self.append(text, to: &$0) }
        case .blob(let bytes):
            try append(PostgresType.bytea) { $0.append(contentsOf: bytes) }
        case .integers(let numbers):
            try append(PostgresType.int8Array) { buffer in
                Self.appendArrayHead(PostgresType.int8, count: numbers.count, to: &buffer)
                for number in numbers {
                    Self.append(Int32(8), to: &buffer)
                    Self.append(number, to: &buffer)
                }
            }
        case .texts(let texts):
            try append(PostgresType.textArray) { buffer in
                Self.appendArrayHead(PostgresType.text, count: texts.count, to: &buffer)
                for text in texts {
                    Self.append(Int32(clamping: text.utf8.count), to: &buffer)
                    try Self.append(text, to: &buffer)
                }
            }
        }
    }

    private mutating func append(_ type: Oid, _ write: (inout [UInt8]) throws -> Void) throws {
        types.append(type)
        let start = buffer.count
        starts.append(start)
        try write(&buffer)
        lengths.append(Int32(clamping: buffer.count - start))
    }

    private static func append(_ text: String, to buffer: inout [UInt8]) throws {
        var text = text
        try text.withUTF8 { utf8 in
            guard !utf8.contains(0) else {
                throw DatabaseError(.textHasNull, "a text holds U+0000")
            }
            buffer.append(contentsOf: utf8)
        }
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, to buffer: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { buffer.append(contentsOf: $0) }
    }

    /// One dimension, no NULLs, lower bound 1.
    private static func appendArrayHead(_ element: Oid, count: Int, to buffer: inout [UInt8]) {
        append(Int32(count == 0 ? 0 : 1), to: &buffer)
        append(Int32(0), to: &buffer)
        append(element, to: &buffer)
        guard count > 0 else { return }
        append(Int32(clamping: count), to: &buffer)
        append(Int32(1), to: &buffer)
    }
}
