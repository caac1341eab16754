internal import CPostgres
internal import CSQLite

/// One row of a result; valid only inside the closure that receives it.
///
/// Columns count from 0. A NULL reads as 0 or as the empty text; use the optional forms where it means something.
package struct Row {
    enum Source {
        case sqlite(OpaquePointer)
        case postgres(PostgresResult, row: Int32)
    }

    let source: Source

    /// Whether the column holds NULL.
    package func isNull(_ column: Int32) -> Bool {
        switch source {
        case .sqlite(let statement): sqlite3_column_type(statement, column) == SQLITE_NULL
        case .postgres(let result, let row): result.isNull(row, column)
        }
    }

    /// A whole number.
    package func integer(_ column: Int32) -> Int64 {
        switch source {
        case .sqlite(let statement): sqlite3_column_int64(statement, column)
        case .postgres(let result, let row): result.integer(row, column)
        }
    }

    /// A floating-point number.
    package func real(_ column: Int32) -> Double {
        switch source {
        case .sqlite(let statement): sqlite3_column_double(statement, column)
        case .postgres(let result, let row): result.real(row, column)
        }
    }

    /// A text.
    package func text(_ column: Int32) -> String {
        switch source {
        case .sqlite(let statement):
            guard let bytes = sqlite3_column_text(statement, column) else { return "" }
            let count = Int(sqlite3_column_bytes(statement, column))
            return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
        case .postgres(let result, let row):
            return String(decoding: result.bytes(row, column), as: UTF8.self)
        }
    }

    /// Raw bytes.
    package func blob(_ column: Int32) -> [UInt8] {
        switch source {
        case .sqlite(let statement):
            guard let bytes = sqlite3_column_blob(statement, column) else { return [] }
            return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, column))))
        case .postgres(let result, let row):
            return Array(result.bytes(row, column))
        }
    }

    /// A whole number, or nil for NULL.
    package func optionalInteger(_ column: Int32) -> Int64? {
        isNull(column) ? nil : integer(column)
    }

    /// A text, or nil for NULL.
    package func optionalText(_ column: Int32) -> String? {
        isNull(column) ? nil : text(column)
    }

    /// Raw bytes, or nil for NULL.
    package func optionalBlob(_ column: Int32) -> [UInt8]? {
        isNull(column) ? nil : blob(column)
    }
}
