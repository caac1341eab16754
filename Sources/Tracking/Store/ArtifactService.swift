package import ApusGateway
import ApusKernel
package import ApusLedger
package import ApusVault
import NIOCore

/// The files of runs, logged models and model versions, for the routes that hand them out and take them in.
///
/// A client's text reaches the tree only as an ``ArtifactKey``, and a location only as an ``ArtifactAddress``.
package struct ArtifactService: Sendable {
    /// The most bytes of an upload from a browser.
    package static let maximumBrowserUploadBytes = 10 << 20
    /// What is answered for more.
    static let uploadTooLarge = RequestError.invalid(
        "Artifact size is too large. Max size is \(maximumBrowserUploadBytes >> 20)MB."
    )

    package let artifacts: ArtifactStore
    private let ledger: Ledger

    package init(artifacts: ArtifactStore, ledger: Ledger) {
        self.artifacts = artifacts
        self.ledger = ledger
    }

    /// The key of a file below a location, which is the artifact URI of a run, a logged model or a model version.
    ///
    /// `path` is a client's text, from the location on.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE`: `Invalid path`, or that the location is not ours.
    package func key(_ path: String, below location: String) throws -> ArtifactKey {
        // The path first: what is wrong with it does not depend on the location.
        _ = try ArtifactAddress.root.appending(path)
        return try ArtifactAddress(of: location).appending(path)
    }

    /// Answers a request for a file: whole, or the part that its headers ask for.
    ///
    /// The answer is always an attachment. Bytes are read as they are sent; if they turn out to be damaged the answer
    /// breaks off before its end.
    ///
    /// - Throws: ``RequestError``: `RESOURCE_DOES_NOT_EXIST` when there is no such file, `INVALID_PARAMETER_VALUE` for a
    ///   directory, `DATA_LOSS`.
    package func download(_ key: ArtifactKey, for request: GatewayRequest) async throws -> GatewayResponse {
        guard let entry = try await artifacts.entry(at: key) else {
            throw RequestError(.resourceDoesNotExist, "No such artifact: '\(key)'")
        }
        guard let content = entry.content else {
            throw RequestError.invalid("Artifact path refers to a directory, not a file: '\(key)'")
        }
        return try await ArtifactDownload(name: entry.key.name, content: content).answer(request) {
            try await artifacts.blobs.open(content.digest)
        }
    }

    /// Answers a request for a file below a location.
    ///
    /// - SeeAlso: ``key(_:below:)`` and ``download(_:for:)``.
    package func download(
        _ path: String,
        below location: String,
        for request: GatewayRequest
    ) async throws -> GatewayResponse {
        try await download(try key(path, below: location), for: request)
    }

    /// The text of a file below a location; what is not UTF-8 in it is replaced.
    ///
    /// - Throws: ``RequestError``: `RESOURCE_DOES_NOT_EXIST` when there is no such file, `INVALID_PARAMETER_VALUE` for a
    ///   directory or a file of more than `maximumBytes`, `DATA_LOSS`.
    package func text(of path: String, below location: String, upTo maximumBytes: Int64) async throws -> String {
        String(buffer: try await artifacts.open(try key(path, below: location)).reader.collect(upTo: maximumBytes))
    }

    /// Lists a directory of the tree; names stand alone.
    ///
    /// An empty `path` is the root.
    ///
    /// - Throws: ``RequestError`` `Invalid path`.
    func list(_ path: String) async throws -> GatewayResponse {
        let directory = try ArtifactAddress.root.directory(path)
        return try await ArtifactListing(artifacts: artifacts, directory: directory.key).answer()
    }

    /// Lists a directory below a location; names stand with their directories, from the location on.
    ///
    /// An empty `path` is the location itself. `limit` is the most entries; with neither a limit nor a page token all
    /// are in one answer.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE`: `Invalid path`, or that the location is not ours.
    package func list(
        _ path: String,
        below location: String,
        limit: Int64? = nil,
        pageToken: String = ""
    ) async throws -> GatewayResponse {
        let prefix = try ArtifactAddress.root.directory(path).key?.path ?? ""
        let listing = ArtifactListing(
            artifacts: artifacts,
            directory: try ArtifactAddress(of: location).directory(prefix).key,
            rootURI: location,
            prefix: prefix
        )
        guard limit != nil || !pageToken.isEmpty else { return try await listing.answer() }
        return try await listing.answer(limit: limit ?? .max, pageToken: pageToken)
    }

    /// Stores the body of a request as a file, replacing one of the same name.
    ///
    /// The file appears with its last byte on disk, or not at all.
    func upload<Bytes: AsyncSequence & Sendable>(
        _ bytes: Bytes,
        at key: ArtifactKey,
        announcedBytes: Int64? = nil
    ) async throws where Bytes.Element == ByteBuffer {
        try await artifacts.write(bytes, at: key, expecting: BlobExpectation(sizeBytes: announcedBytes))
    }

    /// Removes a file, or a directory with all that is below it.
    ///
    /// - Returns: The number of files and directories that were removed.
    @discardableResult
    func delete(_ key: ArtifactKey) async throws -> Int {
        try await artifacts.delete(key) { [ledger] transaction in
            try ledger.record(LedgerEvent(action: "artifact.deleted", subject: "artifact/\(key)"), in: transaction)
        }
    }
}
