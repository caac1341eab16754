import ApusCommand
import ArgumentParser
import CNIOLinux

#if canImport(Glibc)
    import Glibc
#endif

/// `apus predict`.
struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "predict",
        "Score a file with a model.",
        discussion: """
            The input is CSV with a header, JSON lines (an object or a list for each row), or Parquet, which needs \
            pyarrow in the active Python environment. Rows are read, scored side by side and written in their order, in \
            memory that does not grow with the file.

            The output appears under its name when it is complete. Until then it is in OUT.part; after an interruption \
            of any kind, the same command goes on where it was. Rows that fail are listed in OUT.errors.jsonl.
            """,
        examples: [
            "apus predict --model models:/wine@champion --in data.csv --out scores.csv",
            "apus predict --model ./model --in data.jsonl --out scores.jsonl --on-error null --include-inputs",
            "apus predict --model wine.onnx --in data.parquet --out scores.parquet --batch-size 4096",
        ]
    )

    @Option(
        name: .shortAndLong,
        help: "models:/name@alias, models:/name/3, an MLflow model's folder, or an .onnx file."
    )
    var model: ModelReference

    @Option(
        name: [.customShort("i"), .customLong("in"), .customLong("input-path")],
        help: ArgumentHelp("The file to score: .csv, .jsonl or .parquet.", valueName: "file")
    )
    var input: String

    @Option(
        name: [.customShort("o"), .customLong("out"), .customLong("output-path")],
        help: ArgumentHelp("Where the predictions go: .csv, .jsonl or .parquet.", valueName: "file")
    )
    var output: String

    @Option(help: "What becomes of a row that cannot be scored: fail, skip or null.")
    var onError = BatchScorer.FailurePolicy.fail

    @Option(help: ArgumentHelp("Rows in one request to the model.", valueName: "rows"))
    var batchSize = 1024

    @Option(name: [.customShort("w"), .long], help: "How many runs go side by side. [default: one for each core]")
    var workers: Int?

    @Option(help: ArgumentHelp("Threads that ONNX Runtime uses for one run.", valueName: "threads"))
    var onnxThreads = 1

    @Option(
        help: ArgumentHelp(
            "Where the libraries of a model in Python come from: local, virtualenv or uv.",
            valueName: "manager"
        )
    )
    var envManager = EnvironmentManager.local

    @Flag(help: "Run a model in Python even where ONNX Runtime could run it.")
    var preferPython = false

    @Flag(help: "Begin each row with what was scored.")
    var includeInputs = false

    @Flag(help: "Replace an output that is there.")
    var force = false

    @Flag(help: "Print the summary as JSON.")
    var json = false

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard (1...1_000_000).contains(batchSize) else {
            throw ValidationError("--batch-size must be from 1 to 1000000.")
        }
        if let workers, !(1...1024).contains(workers) { throw ValidationError("--workers must be from 1 to 1024.") }
        guard (1...1024).contains(onnxThreads) else { throw ValidationError("--onnx-threads must be from 1 to 1024.") }
        guard let from = TableFormat(path: input) else {
            throw ValidationError("--in must end in .csv, .jsonl or .parquet.")
        }
        guard let to = TableFormat(path: output) else {
            throw ValidationError("--out must end in .csv, .jsonl or .parquet.")
        }
        guard !includeInputs || from.text == to.text else {
            throw ValidationError("--include-inputs needs an output of the same form as the input.")
        }
    }

    func run() async throws {
        guard let from = TableFormat(path: input), let to = TableFormat(path: output) else { return }
        var status = stat()
        guard force || lstat(output, &status) != 0 else {
            throw CommandFailure("'\(output)' exists already", hint: "Add --force to replace it.")
        }
        guard stat(input, &status) == 0 else { throw CommandFailure.file("read", input) }
        let found = try await ModelFetcher.fetch(model, connection)
        var options = ModelLoader.Options()
        options.instances = workers
        options.onnx.intraOpThreads = onnxThreads
        options.prefersPython = preferPython
        options.python.environmentManager = envManager
        options.python.minimumWorkers = workers ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        options.python.maximumWorkers = options.python.minimumWorkers
        options.python.progress = { line in try? StandardStream.error.write("\(PrintableText.line(line))\n") }
        let loading = options
        let served = try await offThread {
            let path =
                try LocalPath.isFolder(found.path)
                ? RepositoryFolder.modelFile(in: found.path, filename: nil) : found.path
            return try ModelLoader().load(path: path, name: found.name, version: found.version, options: loading)
        }
        let journal = try ScoringJournal(path: output, work: work(status, found))
        if journal.isResumed { try note("Going on after \(NumberText.count(Int(journal.checkpoint.rows), "row")).") }
        let columns = ParquetColumns(environment: .process)
        let position = journal.checkpoint.position
        // Rows of Parquet are counted, as there is no place in bytes to go back to.
        let pipe = from == .parquet ? try columns.read(input, skipping: position.line - 1) : nil
        let file = try RecordFile(path: input, descriptor: pipe?.descriptor, from.text, from: position)
        let conversion = RecordConversion(metadata: served.metadata, format: from.text, header: Array(file.header))
        let scorer = BatchScorer(
            model: served,
            writer: RowWriter(format: to == .csv ? .csv : .jsonl, includesInputs: includeInputs),
            policy: onError,
            chunkRows: batchSize,
            parallelism: max(2, (workers ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) + 1),
            convert: { try conversion.request($0) }
        )
        let began = ContinuousClock.now
        let before = journal.checkpoint
        let progress = Progress(.standardOutput())
        progress.begin(LocalPath.name(input) ?? input, total: from == .parquet ? nil : Int64(status.st_size))
        do {
            var last = before.position.offset
            progress.advance(bytes: last)
            try await scorer.run(file, journal) { offset in
                progress.advance(bytes: offset - last)
                last = offset
            }
            try pipe?.finish()
            progress.end()
            try journal.note()
        } catch {
            progress.end()
            // What was scored is not lost with what failed.
            try? journal.note()
            throw error
        }
        let part = ScoringJournal.partPath(output)
        if to == .parquet { try columns.write(part, to: "\(part).parquet") }
        try journal.finish(to == .parquet ? "\(part).parquet" : nil)
        await served.close()
        try summarize(journal.checkpoint, before, seconds: (ContinuousClock.now - began) / .seconds(1))
    }

    /// Tells whether an unfinished output is of the same work.
    private func work(_ status: stat, _ model: ModelFetcher.Model) -> JSON {
        [
            "input": .string(input),
            "bytes": .integer(Int64(status.st_size)),
            "modified": .integer(Int64(status.st_mtim.tv_sec)),
            "modified_ns": .integer(Int64(status.st_mtim.tv_nsec)),
            "model": .string(model.path),
            "name": .string(model.name),
            "version": .string(model.version),
            "on_error": .string(onError.rawValue),
            "inputs": .bool(includeInputs),
        ]
    }

    private func note(_ line: String) throws { try StandardStream.error.write("\(PrintableText.line(line))\n") }

    private func summarize(_ end: ScoringJournal.Checkpoint, _ start: ScoringJournal.Checkpoint, seconds: Double) throws
    {
        let rate = seconds > 0 ? Double(end.rows - start.rows) / seconds : 0
        if json {
            let summary: JSON = [
                "rows": .integer(end.rows),
                "errors": .integer(end.errors),
                "seconds": .double(seconds),
                "rows_per_second": .double(rate),
                "resumed_after": .integer(start.rows),
                "output": .string(output),
            ]
            return try StandardStream.output.write("\(summary.prettyText)\n")
        }
        var line = "\(NumberText.count(Int(end.rows), "row")) scored in \(NumberText.short(seconds)) s, "
        line += "\(Int(exactly: rate.rounded()) ?? 0) rows/s, written to '\(output)'."
        try note(line)
        if end.errors > 0 {
            let rows = NumberText.count(Int(end.errors), "row")
            try note("\(rows) could not be scored; see '\(ScoringJournal.errorsPath(output))'.")
        }
    }
}

extension BatchScorer.FailurePolicy: ExpressibleByArgument {}

/// The form of a table, told by its file's name.
enum TableFormat: Sendable, Equatable {
    case csv, lines, parquet

    init?(path: String) {
        if path.hasSuffix(".csv") {
            self = .csv
        } else if path.hasSuffix(".jsonl") || path.hasSuffix(".ndjson") {
            self = .lines
        } else if path.hasSuffix(".parquet") {
            self = .parquet
        } else {
            return nil
        }
    }

    /// In which form its rows are read or written here.
    var text: RecordSplitter.Format { self == .csv ? .csv : .lines }
}
