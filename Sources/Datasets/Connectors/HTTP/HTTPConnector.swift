import ApusKernel
import ApusVault
import AsyncHTTPClient
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// A file on the web.
///
/// It is asked for only if it has changed since the last import, as far as the server can tell. A download that was cut
/// goes on where it stopped, in this process or another, if the server says that the file is the same; its bytes are
/// stored as they come, also packed ones.
struct HTTPConnector: Connector {
    let source: HTTPSource
    let options: HTTPOptions
    /// Where the file goes in the dataset; nil for the name that the server or the address gives.
    let destination: String?

    static let kind = "http"

    var summary: String { source.shown }
    // The query is part of what is asked for, but may hold a key.
    var identity: String { "http:\(Digest(hashing: Array(source.url.utf8)).hex)" }

    func fetch(
        into folder: StagingFolder,
        since state: ConnectorState?,
        progress: any ImportProgress
    ) async throws -> ImportResult {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(connect: .seconds(10), read: .nanoseconds(options.idleTimeout.wholeNanoseconds))
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let known = state.flatMap { $0.kind == Self.kind && $0.version == 1 ? $0 : nil }
        let result: Result<ImportResult, any Error>
        do {
            var download = HTTPDownload(
                source: source,
                options: options,
                client: client,
                known: HTTPValidators(etag: known?.values["etag"], lastModified: known?.values["last_modified"]),
                part: PartialDownload(String(Digest(hashing: Array(source.url.utf8)).hex.prefix(32)), in: folder),
                progress: progress
            )
            result = .success(try await download.run() ? try arrived(download) : same(known, download))
        } catch {
            result = .failure(error)
        }
        // The answer is there; connections that do not close in order are no news.
        try? await client.shutdown()
        return try result.get()
    }

    private func same(_ state: ConnectorState?, _ download: HTTPDownload) -> ImportResult {
        var result = ImportResult()
        result.unchanged = 1
        result.state = state
        return result
    }

    private func arrived(_ download: HTTPDownload) throws -> ImportResult {
        let record = download.part.record
        let candidates = [destination, record.name, source.name, "download"].compactMap { $0 }
        // What the person says must do; what a server says need not.
        guard let path = candidates.lazy.compactMap({ try? FilePath(validating: $0) }).first,
            destination == nil || destination == path.text
        else { throw FilePath.invalidPath }
        if download.part.count == 0, !download.hasFile {
            close(try download.part.openForAppending())
        }
        var result = ImportResult()
        result.files = [try ImportedFile(path: path, localPath: download.part.path)]
        result.warnings = download.warnings
        let (head, tail) = try FileConnector.ends(of: download.part.path)
        if let complaint = FileKind.complaint(path.name, head: head, tail: tail) { result.warnings.append(complaint) }
        var state = ConnectorState(kind: Self.kind, version: 1)
        state.values["etag"] = record.validators.etag
        state.values["last_modified"] = record.validators.lastModified
        state.values["sha256"] = record.sha256
        state.values["path"] = path.text
        result.state = state
        return result
    }
}

extension Duration {
    /// Nanoseconds, as far as they fit.
    fileprivate var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return isTooLong ? .max : product &+ attoseconds / 1_000_000_000
    }
}
