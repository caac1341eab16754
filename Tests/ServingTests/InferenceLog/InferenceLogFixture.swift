import ApusTesting
import FoundationEssentials
import Logging
import NIOCore
import Serving

/// A folder for an inference log, and the files in it.
struct InferenceLogFixture: Sendable {
    let folder: String
    let clock: ManualClock

    static func with(_ body: (InferenceLogFixture) async throws -> Void) async throws {
        try await ApusFixture.with { base in
            try await body(InferenceLogFixture(folder: "\(base.folder)/inference-log", clock: base.clock))
        }
    }

    func open(limitBytes: Int = 32 << 20, _ sizes: InferenceLog.Sizes = InferenceLog.Sizes(), at path: String? = nil)
        -> InferenceLog
    {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return InferenceLog(folder: path ?? folder, limitBytes: limitBytes, sizes: sizes, clock: clock, logger: logger)
    }

    /// Opens the log, and closes it after `body`.
    func with(
        limitBytes: Int = 32 << 20,
        _ sizes: InferenceLog.Sizes = InferenceLog.Sizes(),
        at path: String? = nil,
        _ body: (InferenceLog) async throws -> Void
    ) async throws {
        let log = open(limitBytes: limitBytes, sizes, at: path)
        do { try await body(log) } catch {
            await log.close()
            throw error
        }
        await log.close()
    }

    /// A record with one row of numbers; the clock moves on by a millisecond.
    func record(_ number: Int, endpoint: String = "wine", version: String = "1", bytes: Int = 16) throws
        -> PredictionRecord
    {
        clock.advance(milliseconds: 1)
        let id = PredictionID(milliseconds: clock.milliseconds, deployment: 1)
        let input = try Tensor(
            name: "x",
            .fp32,
            shape: [1, max(1, bytes / 4)],
            elements: (0..<max(1, bytes / 4)).map { Float($0 ^ number) }
        )
        return PredictionRecord(
            id: id.text,
            milliseconds: clock.milliseconds,
            endpoint: endpoint,
            model: "wine-model",
            version: version,
            deployment: 1,
            latencyNanoseconds: UInt64(number),
            inputs: [.init(input)],
            outputs: [.init(try Tensor(name: "label", texts: ["class \(number)"]))]
        )
    }

    func files(endpoint: String = "wine", at path: String? = nil) throws -> [String] {
        let folder = "\(path ?? folder)/\(endpoint)"
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(folder)/\($0)" }
    }

    func read(_ path: String) throws -> Data {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ServingError.invalid("no file \(path)")
        }
        return data
    }

    func write(_ data: Data, to path: String) throws {
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: "/\(folder)", withIntermediateDirectories: true)
        guard FileManager.default.createFile(atPath: path, contents: data) else {
            throw ServingError.invalid("cannot write \(path)")
        }
    }
}

extension InferenceLog {
    /// All records of an endpoint, the last written first, page by page.
    func all(_ endpoint: String = "wine", pageSize: Int = 7) async throws -> [PredictionRecord] {
        var found: [PredictionRecord] = []
        var token = ""
        repeat {
            let page = try await page(endpoint: endpoint, limit: pageSize, pageToken: token)
            found += page.records
            token = page.nextToken ?? ""
        } while !token.isEmpty
        return found
    }
}
