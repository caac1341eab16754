import ApusCommand
import FoundationEssentials
import Serving
import Testing

@Suite struct ScoringJournalTests {
    private let work: JSON = ["input": "data.csv"]

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body("\(folder.path)/out.csv")
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func `the output appears with its last row`() throws {
        try withFolder { path in
            let journal = try ScoringJournal(path: path, work: work)
            try journal.append(
                Array("1\n".utf8),
                failures: [],
                count: 1,
                errors: 0,
                position: .init(offset: 2, line: 2)
            )
            #expect(!FileManager.default.fileExists(atPath: path))
            try journal.finish()
            #expect(try text(path) == "1\n")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: String(path.dropLast("/out.csv".count))) == [
                    "out.csv"
                ]
            )
        }
    }

    @Test func `a later run goes on from the last note, wherever the one before was killed`() throws {
        try withFolder { path in
            do {
                let journal = try ScoringJournal(path: path, work: work)
                #expect(!journal.isResumed)
                journal.set(columns: ["y"])
                let first = Array("1\n2\n".utf8)
                try journal.append(
                    first,
                    failures: Array("e".utf8),
                    count: 2,
                    errors: 1,
                    position: .init(offset: 9, line: 3)
                )
                try journal.note()
                // Not noted, so it is done again.
                try journal.append(
                    Array("3\n".utf8),
                    failures: [],
                    count: 1,
                    errors: 0,
                    position: .init(offset: 12, line: 4)
                )
            }
            // A note that was cut off.
            let handle = try #require(FileManager.default.contents(atPath: "\(path).progress"))
            try (handle + Data("{\"offset\": 99, \"li".utf8)).write(to: URL(filePath: "\(path).progress"))
            let journal = try ScoringJournal(path: path, work: work)
            #expect(journal.isResumed)
            #expect(journal.checkpoint.position == RecordPosition(offset: 9, line: 3))
            #expect(journal.checkpoint.rows == 2)
            #expect(journal.checkpoint.errors == 1)
            #expect(journal.checkpoint.columns == ["y"])
            try journal.append(
                Array("3\n".utf8),
                failures: [],
                count: 1,
                errors: 0,
                position: .init(offset: 12, line: 4)
            )
            try journal.note()
            try journal.finish()
            #expect(try text(path) == "1\n2\n3\n")
            #expect(try text("\(path).errors.jsonl") == "e")
        }
    }

    @Test func `other work starts from the beginning, and two at once do not`() throws {
        try withFolder { path in
            do {
                let journal = try ScoringJournal(path: path, work: work)
                try journal.append(
                    Array("1\n".utf8),
                    failures: [],
                    count: 1,
                    errors: 0,
                    position: .init(offset: 2, line: 2)
                )
                try journal.note()
                #expect(throws: CommandFailure.self) { _ = try ScoringJournal(path: path, work: work) }
            }
            let journal = try ScoringJournal(path: path, work: ["input": "other.csv"])
            #expect(!journal.isResumed)
            #expect(try text("\(path).part").isEmpty)
        }
    }
}
