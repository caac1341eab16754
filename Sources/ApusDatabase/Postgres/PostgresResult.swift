internal import CPostgres

/// Owns a result in binary format.
final class PostgresResult {
    private let handle: OpaquePointer
    let rowCount: Int32

    init(_ handle: OpaquePointer) {
        self.handle = handle
        rowCount = PQntuples(handle)
    }

    deinit { PQclear(handle) }

    var status: ExecStatusType { PQresultStatus(handle) }
    /// What was done, such as `COMMIT`.
    var tag: String { PQcmdStatus(handle).map { String(cString: $0) } ?? "" }
    /// The rows that were changed.
    var changed: Int { PQcmdTuples(handle).flatMap { Int(String(cString: $0)) } ?? 0 }

    func withHandle<T>(_ body: (OpaquePointer) -> T) -> T { body(handle) }

    func isNull(_ row: Int32, _ column: Int32) -> Bool {
        PQgetisnull(handle, row, column) == 1
    }

    /// The bytes of a field, which are valid while the result lives; empty for NULL.
    func bytes(_ row: Int32, _ column: Int32) -> UnsafeRawBufferPointer {
        guard let value = PQgetvalue(handle, row, column) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(handle, row, column)))
    }

    func integer(_ row: Int32, _ column: Int32) -> Int64 {
        let bytes = bytes(row, column)
        switch PQftype(handle, column) {
        case PostgresType.float8: return Int64(exactly: real(row, column).rounded()) ?? 0
        case PostgresType.float4: return 0
        default: break
        }
        // int2, int4, int8 and bool are big-endian two's complement of their own width.
        guard let first = bytes.first, bytes.count <= 8 else { return 0 }
        var value: Int64 = PQftype(handle, column) == PostgresType.bool ? 0 : (first & 0x80 != 0 ? -1 : 0)
        for byte in bytes { value = value << 8 | Int64(byte) }
        return value
    }

    func real(_ row: Int32, _ column: Int32) -> Double {
        guard PQftype(handle, column) == PostgresType.float8 else { return Double(integer(row, column)) }
        var pattern: UInt64 = 0
        for byte in bytes(row, column).prefix(8) { pattern = pattern << 8 | UInt64(byte) }
        return Double(bitPattern: pattern)
    }
}

/// Object identifiers of PostgreSQL's built-in types.
///
/// - SeeAlso: `pg_type.dat` in PostgreSQL's source.
enum PostgresType {
    static let bool: Oid = 16
    static let bytea: Oid = 17
    static let int8: Oid = 20
    static let text: Oid = 25
    static let float4: Oid = 700
    static let float8: Oid = 701
    static let byteaArray: Oid = 1001
    static let textArray: Oid = 1009
    static let int8Array: Oid = 1016
    static let float8Array: Oid = 1022
}
