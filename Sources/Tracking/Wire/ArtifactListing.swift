import ApusGateway
import ApusJSON
import ApusKernel
import ApusVault

/// Writes the entries of one directory, however many there are, with only some of them in memory.
struct ArtifactListing: Sendable {
    /// The entries that are read at a time.
    static let entriesPerPiece = 5_000

    let artifacts: ArtifactStore
    /// Nil for the root.
    let directory: ArtifactKey?
    /// Told to the client when it asked for the files of a run or a model.
    var rootURI: String?
    /// What stands before each name, such as `model/data`; empty for none.
    var prefix = ""

    /// Everything in one answer: clients do not turn pages.
    func answer() async throws -> GatewayResponse {
        let first = try await artifacts.list(directory, limit: Self.entriesPerPiece)
        guard first.count == Self.entriesPerPiece else { return page(first[...], nextToken: nil) }
        let pieces = ArtifactPieces(artifacts: artifacts, directory: directory, first: first)
        return .streamingJSON { json in
            let isFirst = await pieces.isAtStart
            guard let piece = try await pieces.next() else {
                json.endArray()
                json.endObject()
                return false
            }
            if isFirst {
                json.beginObject()
                if let rootURI { json.member("root_uri", rootURI) }
                json.key("files")
                json.beginArray()
            }
            for entry in piece { write(entry, to: &json) }
            return true
        }
    }

    /// One page, for those who ask for one.
    func answer(limit: Int64, pageToken: String) async throws -> GatewayResponse {
        guard limit > 0 else {
            throw RequestError.invalid(
                "Invalid value \(limit) for parameter 'max_results' supplied. It must be a positive integer."
            )
        }
        let size = Int(clamping: min(limit, Int64(Self.entriesPerPiece)))
        let found = try await artifacts.list(directory, after: try Self.name(in: pageToken), limit: size + 1)
        let entries = found.prefix(size)
        return page(entries, nextToken: found.count > size ? entries.last.map { Self.token(after: $0.key.name) } : nil)
    }

    private func page(_ entries: ArraySlice<ArtifactEntry>, nextToken: String?) -> GatewayResponse {
        .json { json in
            if let rootURI { json.member("root_uri", rootURI) }
            if !entries.isEmpty {
                json.key("files")
                json.array(entries) { write($1, to: &$0) }
            }
            json.nextPage(nextToken)
        }
    }

    private func write(_ entry: ArtifactEntry, to json: inout JSONWriter) {
        json.object { json in
            json.member("path", prefix.isEmpty ? entry.key.name : "\(prefix)/\(entry.key.name)")
            json.key("is_dir")
            json.bool(entry.isDirectory)
            if let content = entry.content { json.member("file_size", content.sizeBytes) }
        }
    }

    private static func token(after name: String) -> String { "n1-\(percentEncoded(name))" }

    private static func name(in token: String) throws -> String? {
        guard !token.isEmpty else { return nil }
        guard token.hasPrefix("n1-"), token.utf8.count <= 4 * ArtifactKey.maximumBytes,
            let name = try? percentDecoded(token.dropFirst(3)), !name.isEmpty
        else { throw RequestError.invalid("Invalid page token, could not decode '\(token.prefix(100))'") }
        return name
    }
}

/// Reads a directory piece by piece.
private actor ArtifactPieces {
    private let artifacts: ArtifactStore
    private let directory: ArtifactKey?
    private var waiting: [ArtifactEntry]?
    private var last: String?
    private(set) var isAtStart = true

    init(artifacts: ArtifactStore, directory: ArtifactKey?, first: [ArtifactEntry]) {
        self.artifacts = artifacts
        self.directory = directory
        waiting = first
        last = first.last?.key.name
    }

    /// The next entries, or nil after the last.
    func next() async throws -> [ArtifactEntry]? {
        isAtStart = false
        if let first = waiting {
            waiting = nil
            return first
        }
        guard let last else { return nil }
        let piece = try await artifacts.list(directory, after: last, limit: ArtifactListing.entriesPerPiece)
        self.last = piece.last?.key.name
        return piece.isEmpty ? nil : piece
    }
}
