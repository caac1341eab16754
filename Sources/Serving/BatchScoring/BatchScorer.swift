import ApusCommand
import ApusJSON
import ApusKernel

/// Scores the records of a file, several runs side by side, and writes what comes of them in their order.
///
/// Memory does not depend on the file's size: a few chunks are in work at any time. A chunk that a model refuses is
/// repeated by halves, so that only the rows that are to blame fail.
struct BatchScorer: Sendable {
    /// What becomes of a row that cannot be scored.
    enum FailurePolicy: String, Sendable, CaseIterable {
        case fail, skip, null
    }

    /// Makes a request of records; a model's metadata decides how.
    typealias Convert = @Sendable (RecordChunk) throws -> InferenceRequest

    private static let retryDelays: [Duration] = [.milliseconds(50), .milliseconds(200), .seconds(1), .seconds(5)]

    let model: any Servable
    let writer: RowWriter
    let policy: FailurePolicy
    /// Rows in one request.
    let chunkRows: Int
    /// Requests side by side.
    let parallelism: Int
    let convert: Convert

    /// A row that could not be scored.
    private struct Failure {
        let line: Int
        let reason: String
    }

    /// What came of a chunk.
    private struct Scored {
        let index: Int
        let chunk: RecordChunk
        var parts: [Part]
    }

    private enum Part {
        /// Records of the chunk, and their answer.
        case rows(Range<Int>, RowWriter.Rows)
        case failure(Int, String)
    }

    /// Scores everything that follows in `file`.
    ///
    /// - Parameters:
    ///   - file: The records.
    ///   - journal: The output; the caller finishes it.
    ///   - onProgress: Told how far the input is, in bytes.
    /// - Throws: ``CommandFailure`` or ``ServingError``; what is in the journal stays good to go on with.
    func run(
        _ file: RecordFile,
        _ journal: ScoringJournal,
        onProgress: (Int64) -> Void
    ) async throws {
        var columns = journal.checkpoint.columns
        let header = file.header
        var isOver = false
        // What the columns are is known after the first answer.
        while columns.isEmpty, !isOver {
            guard let chunk = try file.next(chunkRows) else {
                isOver = true
                break
            }
            let scored = try await score(0, chunk)
            for case .rows(_, let rows) in scored.parts where columns.isEmpty { columns = rows.columns }
            if columns.isEmpty, policy == .null {
                throw ServingError.modelFailed(
                    "None of the first \(chunk.records.count) rows could be scored; the first failed with: "
                        + Self.firstReason(scored)
                )
            }
            if !columns.isEmpty { journal.set(columns: columns) }
            try write(scored, columns, journal, header: journal.checkpoint.outputBytes == 0 ? header : nil)
            onProgress(journal.checkpoint.position.offset)
        }
        guard !isOver else { return }
        try await withThrowingTaskGroup(of: Scored.self) { group in
            var started = 0
            var written = 0
            var early: [Int: Scored] = [:]
            func start() throws -> Bool {
                guard let chunk = try file.next(chunkRows) else { return false }
                let index = started
                group.addTask { try await score(index, chunk) }
                started += 1
                return true
            }
            while started < parallelism, try start() {}
            while let scored = try await group.next() {
                early[scored.index] = scored
                while let next = early.removeValue(forKey: written) {
                    try write(next, columns, journal, header: nil)
                    written += 1
                    onProgress(journal.checkpoint.position.offset)
                }
                // A slow chunk must not let the others pile up behind it.
                while started - written < parallelism * 2, started - written - early.count < parallelism, try start() {}
            }
        }
    }

    private static func firstReason(_ scored: Scored) -> String {
        for case .failure(_, let reason) in scored.parts { return reason }
        return ""
    }

    // MARK: Runs

    private func score(_ index: Int, _ chunk: RecordChunk) async throws -> Scored {
        var scored = Scored(index: index, chunk: chunk, parts: [])
        // Depth first, so that the parts come in their order.
        var waiting = [chunk.records.indices]
        while let range = waiting.popLast() {
            try Task.checkCancellation()
            do {
                scored.parts.append(.rows(range, try await rows(chunk.part(range))))
            } catch let error as any PublicError {
                if range.count > 1 {
                    let middle = range.lowerBound + range.count / 2
                    waiting.append(middle..<range.upperBound)
                    waiting.append(range.lowerBound..<middle)
                } else if policy == .fail {
                    let line = chunk.records[range.lowerBound].line
                    throw CommandFailure(
                        "line \(line): \(error.message)",
                        hint:
                            "Use --on-error skip or null to go on. What was scored is kept: the same command goes on from there."
                    )
                } else {
                    scored.parts.append(.failure(range.lowerBound, error.message))
                }
            }
        }
        return scored
    }

    private func rows(_ chunk: RecordChunk) async throws -> RowWriter.Rows {
        let request = try convert(chunk)
        for delay in Self.retryDelays {
            do {
                return try RowWriter.Rows(try await model.infer(request), count: chunk.records.count)
            } catch let error as ServingError where error.isTemporary {
                try await Task.sleep(for: delay)
            }
        }
        do {
            return try RowWriter.Rows(try await model.infer(request), count: chunk.records.count)
        } catch let error as ServingError where error.isTemporary {
            // The model is to blame, not the rows.
            throw CommandFailure(error.message, hint: "What was scored is kept: the same command goes on from there.")
        }
    }

    // MARK: Output

    private func write(
        _ scored: Scored,
        _ columns: [String],
        _ journal: ScoringJournal,
        header: ArraySlice<UInt8>?
    ) throws {
        let chunk = scored.chunk
        var bytes = header.map { writer.header(inputs: $0, columns: columns) } ?? []
        var failures: [Failure] = []
        var count: Int64 = 0
        for part in scored.parts {
            switch part {
            case .rows(let range, let rows):
                for (row, index) in range.enumerated() {
                    writer.append(
                        row,
                        of: rows,
                        columns: columns,
                        input: chunk.bytes(of: chunk.records[index]),
                        to: &bytes
                    )
                }
                count += Int64(range.count)
            case .failure(let index, let reason):
                let record = chunk.records[index]
                failures.append(Failure(line: record.line, reason: reason))
                if policy == .null { writer.appendNull(columns: columns, input: chunk.bytes(of: record), to: &bytes) }
            }
        }
        try journal.append(
            bytes,
            failures: failures.flatMap(Self.line),
            count: count,
            errors: Int64(failures.count),
            position: chunk.end
        )
    }

    private static func line(_ failure: Failure) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.key("line")
            json.integer(Int64(failure.line))
            json.key("error")
            json.string(failure.reason)
        }
        return json.bytes + [UInt8(ascii: "\n")]
    }
}
