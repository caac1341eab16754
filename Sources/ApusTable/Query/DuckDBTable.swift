internal import ApusJSON

/// A table in files, asked by DuckDB in a process of its own for each query.
///
/// Whoever may ask gives SQL that nobody trusts: it is parsed as one SELECT, and can read nothing but these files.
package actor DuckDBTable: TableQuerying {
    /// How the files are read, once it is known.
    private struct Layout: Sendable {
        let relation: TableRelation
        /// Of which of a text's types only a sample is sure when ``isSure`` is false.
        var columns: [TableColumn]
        var isSure: Bool
    }

    package nonisolated let source: TableSource
    private nonisolated let run: DuckDBRun
    private var known: Layout?

    /// Rows that are looked at to guess types that are then checked.
    private static let sampleRows = 20_000
    private static let headLines = 20
    /// Of what DuckDB tells of columns and dialects.
    private static let metaBytes = 64 << 20

    /// - Parameters:
    ///   - source: The files.
    ///   - program: DuckDB, as ``DuckDBProgram/find()`` gives it.
    ///   - scratch: An existing private folder, for what does not fit into memory.
    ///   - limits: What each query may use.
    package init(_ source: TableSource, program: DuckDBProgram, scratch: String, limits: TableLimits = TableLimits()) {
        self.source = source
        run = DuckDBRun(program: program, limits: limits, scratch: scratch, files: source.files)
    }

    /// The columns, in order.
    ///
    /// Types of texts are those of all rows: the files are read for it, unless the columns were known before.
    ///
    /// - Throws: ``TableError``.
    package func columns() async throws -> [TableColumn] { try await sureLayout().columns }

    package func rows(_ sql: String) async throws -> TableRows {
        let layout = try await sureLayout()
        let limit = Self.maximumRows
        let text = SQLText.escaped(sql)
        // The row's number only where it is named, since it costs time; case does not matter in SQL.
        let number = sql.lowercased().contains("__row") ? ", row_number() OVER () - 1 AS __row" : ""
        let script = """
            CREATE VIEW data AS SELECT *\(number) FROM (\(layout.relation.typed(layout.columns, isChecked: false)));
            DESCRIBE SELECT * FROM query(\(text));
            SELECT '' AS "end";
            SELECT CAST(COLUMNS(*) AS VARCHAR) FROM query(\(text)) LIMIT \(limit + 1);

            """
        let bytes = run.limits.answerBytes
        return try await run(script, bufferLimit: bytes) { output in
            var reader = RowReader(output, rowLimit: limit, byteLimit: bytes)
            return try reader.read()
        }
    }

    /// Streams all rows through `body`, which runs on a thread that may block.
    ///
    /// Types of texts are guessed from the first rows and checked on the way. When a value does not fit, all types are
    /// told from all rows and `body` is called again, so it must begin anew each time.
    ///
    /// - Returns: What the last call returned.
    /// - Throws: ``TableError``; what `body` throws.
    package func scan<Result: Sendable>(
        _ body: @escaping @Sendable ([TableColumn], TableStream) throws -> Result
    ) async throws -> Result {
        let layout = try await roughLayout()
        do {
            let result = try await scan(layout, body)
            // Every value fitted, so the guess was right.
            if known?.isSure != true {
                known = Layout(relation: layout.relation, columns: layout.columns, isSure: true)
            }
            return result
        } catch is CSVTyping.Unfit {
            return try await scan(try await sureLayout(), body)
        }
    }

    private func scan<Result: Sendable>(
        _ layout: Layout,
        _ body: @escaping @Sendable ([TableColumn], TableStream) throws -> Result
    ) async throws -> Result {
        let columns = layout.columns
        // A stored type may be another file's, so also what is taken to be sure is checked.
        let script = """
            COPY (SELECT \(columns.map(TableStream.select).joined(separator: ", ")) \
            FROM (\(layout.relation.typed(columns, isChecked: !layout.isSure || source.columns != nil)))) \
            TO '/dev/stdout' (\(TableStream.options));

            """
        do {
            return try await run(script, bufferLimit: TableStream.pageLimit + 4096) { output in
                try body(columns, TableStream(output, columns: columns))
            }
        } catch is CSVTyping.Unfit where layout.isSure {
            throw TableError(.unreadable, "A value has another type than its column is said to have.")
        }
    }

    // MARK: Columns

    private func sureLayout() async throws -> Layout {
        let rough = try await roughLayout()
        if rough.isSure { return rough }
        let columns = try await types(rough.relation, rows: nil)
        let layout = Layout(relation: rough.relation, columns: columns, isSure: true)
        known = layout
        return layout
    }

    private func roughLayout() async throws -> Layout {
        if let known { return known }
        let layout: Layout
        switch source.format {
        case .csv, .tsv:
            let relation = TableRelation(source: source, dialect: try await dialect())
            if let columns = source.columns {
                guard columns.map(\.name) == relation.dialect?.names else {
                    throw TableError(.unreadable, "The files have other columns than those that are known.")
                }
                layout = Layout(relation: relation, columns: columns, isSure: true)
            } else {
                let columns = try await types(relation, rows: Self.sampleRows)
                layout = Layout(relation: relation, columns: columns, isSure: false)
            }
        case .parquet, .json, .jsonl:
            let relation = TableRelation(source: source, dialect: nil)
            layout = Layout(relation: relation, columns: try await described(relation), isSure: true)
        }
        known = layout
        return layout
    }

    /// The columns as DuckDB tells them.
    private func described(_ relation: TableRelation) async throws -> [TableColumn] {
        let columns = try await lines("DESCRIBE SELECT * FROM (\(relation.raw));\n") { object in
            guard let name = object["column_name"]?.string, let type = object["column_type"]?.string else {
                return nil as TableColumn?
            }
            return TableColumn(name: name, type: SQLTypeName.type(type), sqlType: type)
        }
        guard columns.count <= CSVDialect.columnLimit else {
            throw TableError(.unreadable, "The table has more than \(CSVDialect.columnLimit) columns.")
        }
        return columns
    }

    /// The types of a file of texts, by its first rows or by all.
    private func types(_ relation: TableRelation, rows: Int?) async throws -> [TableColumn] {
        guard let names = relation.dialect?.names else { return [] }
        let lists = try await lines("\(relation.kinds(limit: rows));\n") { object in
            object["kinds"]?.elements.map { $0.map { Int($0.integer ?? 0) } }
        }
        guard let kinds = lists.first, kinds.count == names.count else {
            throw TableError(.unreadable, "The types of the columns cannot be told.")
        }
        return zip(names, kinds).map { name, kinds in
            let (type, sqlType) = CSVTyping.type(kinds: kinds)
            return TableColumn(name: name, type: type, sqlType: sqlType)
        }
    }

    /// How the files are written, told from the first lines of each.
    private func dialect() async throws -> CSVDialect {
        let heads = try await lines(TableRelation.heads(of: source, lines: Self.headLines)) { object in
            (object["lines"]?.elements.map { $0.map { $0.string ?? "" } } ?? []).joined(separator: "\n")
        }
        guard heads.count == source.files.count, let first = source.files.first, let head = heads.first else {
            throw TableError(.unreadable, "The first rows cannot be read.")
        }
        guard let dialect = CSVDialect(head: head, delimiter: source.format == .tsv ? 0x09 : nil) else {
            throw TableError(.unreadable, "\(first.name) has no rows, or more than \(CSVDialect.columnLimit) columns.")
        }
        for (file, head) in zip(source.files, heads).dropFirst() {
            let other = CSVDialect(head: head, delimiter: dialect.delimiter)
            guard other?.hasHeader == dialect.hasHeader, other?.names == dialect.names else {
                throw TableError(.unreadable, "\(file.name) has other columns than \(first.name).")
            }
        }
        return dialect
    }

    /// Runs a script of ours, and reads each line of the answer as an object of JSON.
    private func lines<Element: Sendable>(
        _ script: String,
        _ read: @escaping @Sendable (JSONValue) -> Element?
    ) async throws -> [Element] {
        do {
            return try await run(script, bufferLimit: Self.metaBytes) { output in
                var elements: [Element] = []
                while let element = try output.withLine({ try JSONDocument(parsing: $0) })?.root {
                    guard let element = read(element) else { continue }
                    elements.append(element)
                }
                return elements
            }
        } catch let error as TableError where error.kind == .badQuery {
            // No SQL of the user's is in it, so it is the files.
            throw TableError(.unreadable, error.message)
        }
    }
}
