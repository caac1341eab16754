/// The SQL that reads the files of a table.
struct TableRelation: Sendable {
    let source: TableSource
    /// Of texts only.
    let dialect: CSVDialect?

    /// A SELECT of the columns as the files have them: of CSV, texts with the names `c0`, `c1` and so on.
    var raw: String {
        source.runs.map { run in
            let files = "[\(run.files.map { SQLText.string($0.path) }.joined(separator: ","))]"
            return switch source.format {
            case .parquet: "SELECT * FROM read_parquet(\(files))"
            case .csv, .tsv: csv(files, run.compression)
            case .jsonl: json(files, run.compression, "newline_delimited")
            case .json: json(files, run.compression, "auto")
            }
        }.joined(separator: " UNION ALL ")
    }

    /// A SELECT of the columns in their types and by their names.
    ///
    /// A value of a column of texts that has another type is an error where that is checked; else it is missing.
    func typed(_ columns: [TableColumn], isChecked: Bool) -> String {
        guard dialect != nil else { return raw }
        let value = isChecked ? CSVTyping.checkedValue : CSVTyping.value
        let values = columns.enumerated().map { place, column in
            "\(value("c\(place)", column.type, column.sqlType)) AS \(SQLText.identifier(column.name))"
        }
        guard isChecked else { return "SELECT \(values.joined(separator: ", ")) FROM (\(raw))" }
        let casts = columns.enumerated().map { CSVTyping.casts("c\($0)", $1.type) }
        return "SELECT \(values.joined(separator: ", ")) FROM (SELECT \(casts.joined(separator: ", ")) FROM (\(raw)))"
    }

    /// A SELECT of one row with a list of the kinds of values that each column of texts has, in the first rows or in all.
    func kinds(limit: Int?) -> String {
        let columns = dialect?.names.indices.map { "c\($0)" } ?? []
        let casts = columns.map { CSVTyping.casts($0, nil) }.joined(separator: ", ")
        return """
            SELECT [\(columns.map(CSVTyping.kinds).joined(separator: ", "))] AS kinds FROM (SELECT \(casts) FROM \
            (\(raw)\(limit.map { " LIMIT \($0)" } ?? "")))
            """
    }

    /// The first lines of each file as rows of a number and a text, those of one file after the other.
    static func heads(of source: TableSource, lines: Int) -> String {
        source.files.enumerated().map { place, file in
            """
            SELECT \(place) AS file, list(line) AS lines FROM (SELECT line FROM \
            read_csv(\(SQLText.string(file.path)), auto_detect=false, header=false, delim='\u{1}', quote='', escape='', \
            columns={'line':'VARCHAR'}, compression='\(source.compressions[place].rawValue)', nullstr='\u{2}', \
            strict_mode=false, ignore_errors=true) LIMIT \(lines));

            """
        }.joined()
    }

    private func csv(_ files: String, _ compression: TableFormat.Compression) -> String {
        guard let dialect else { return "SELECT 1 WHERE FALSE" }
        let columns = dialect.names.indices.map { "'c\($0)':'VARCHAR'" }.joined(separator: ",")
        let delimiter = String(UnicodeScalar(dialect.delimiter))
        return """
            SELECT * FROM read_csv(\(files), auto_detect=false, delim=\(SQLText.string(delimiter)), quote='"', escape='"', \
            header=\(dialect.hasHeader), columns={\(columns)}, allow_quoted_nulls=false, \
            compression='\(compression.rawValue)')
            """
    }

    private func json(_ files: String, _ compression: TableFormat.Compression, _ format: String) -> String {
        """
        SELECT * FROM read_json(\(files), format='\(format)', records='true', sample_size=-1, maximum_depth=2, \
        convert_strings_to_integers=false, compression='\(compression.rawValue)')
        """
    }
}
