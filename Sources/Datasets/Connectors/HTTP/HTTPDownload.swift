import ApusKernel
import ApusVault
import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

#if canImport(Glibc)
    import Glibc
#endif

/// Brings one file from the web, over as many attempts as it takes.
struct HTTPDownload {
    let source: HTTPSource
    let options: HTTPOptions
    let client: HTTPClient
    /// What the last import was told of the file.
    let known: HTTPValidators
    private(set) var part: PartialDownload
    private let progress: any ImportProgress
    private(set) var warnings: [String] = []
    /// Whether the bytes go on from some that another answer brought.
    private var isSpliced = false
    private var announced: AnnouncedHashes?

    private static let redirectLimit = 10

    init(
        source: HTTPSource,
        options: HTTPOptions,
        client: HTTPClient,
        known: HTTPValidators,
        part: PartialDownload,
        progress: any ImportProgress
    ) {
        self.source = source
        self.options = options
        self.client = client
        self.known = known
        self.part = part
        self.progress = progress
    }

    /// Whether the file has bytes, and so is there.
    var hasFile: Bool { part.count > 0 }

    /// A failure that may pass.
    private struct Passing: Error {
        let message: String
        var retryAfter: Duration?
    }

    private enum Outcome {
        case unchanged
        case complete
    }

    /// Brings the file.
    ///
    /// - Returns: Whether there is a new one; else it is as it was at the last import.
    /// - Throws: ``ConnectorError``, or `CancellationError`.
    mutating func run() async throws -> Bool {
        var schedule = options.retries
        while true {
            let before = part.count
            let failure: Passing
            do {
                return try await attempt() == .complete
            } catch let error as Passing {
                failure = error
            } catch let error as ConnectorError {
                throw error
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                if Task.isCancelled { throw CancellationError() }
                failure = Passing(message: "The connection failed: \(Self.words(error))")
            }
            let pause = schedule.pause(
                hasProgressed: part.count > before,
                retryAfter: failure.retryAfter,
                chance: Double.random(in: 0...1)
            )
            guard let pause else {
                throw ConnectorError(
                    "\(source.shown) could not be downloaded. \(failure.message). What is here already is kept: the same "
                        + "import goes on from it.",
                    code: .temporarilyUnavailable
                )
            }
            try await Task.sleep(for: pause)
        }
    }

    // MARK: One attempt

    private mutating func attempt() async throws -> Outcome {
        var headers = HTTPHeaders([("User-Agent", "apus"), ("Accept", "*/*"), ("Accept-Encoding", "identity")])
        var asked: Int64 = 0
        if part.isComplete {
            part.record.validators.addConditions(to: &headers)
        } else if part.canGoOn {
            asked = part.count
            headers.add(name: "Range", value: "bytes=\(asked)-")
            let validators = part.record.validators
            headers.add(name: "If-Range", value: validators.etag ?? validators.lastModified ?? "")
        } else {
            known.addConditions(to: &headers)
        }
        let isConditional = headers.contains(name: "If-None-Match") || headers.contains(name: "If-Modified-Since")
        let response = try await follow(headers)
        switch response.status.code {
        case 304 where isConditional:
            guard part.isComplete else { return .unchanged }
            // What was staged is still the newest; it may also be what was committed.
            return known == plain(part.record.validators) ? .unchanged : .complete
        case 200:
            try begin(response)
        case 206 where asked > 0:
            try goOn(response, from: asked)
        case 416 where asked > 0:
            try part.begin(.init())
            throw Passing(message: "The server has no such range", retryAfter: .zero)
        case 408, 425, 429, 500, 502, 503, 504:
            throw Passing(
                message: "The server answered \(response.status.code)",
                retryAfter: HTTPAnswerFields.retryAfter(response.headers, now: SystemWallClock().milliseconds / 1000)
            )
        default:
            throw ConnectorError(
                "\(source.shown) answered \(response.status.code) \(response.status.reasonPhrase).",
                code: response.status.code == 404 ? .resourceDoesNotExist : .invalidParameterValue
            )
        }
        try await receive(response)
        try await check()
        return .complete
    }

    private func plain(_ validators: HTTPValidators) -> HTTPValidators {
        HTTPValidators(etag: validators.etag, lastModified: validators.lastModified)
    }

    /// Sends the request, and goes where redirects lead; credentials stay with those they are for.
    private func follow(_ headers: HTTPHeaders) async throws -> HTTPClientResponse {
        var place = source
        for _ in 0...Self.redirectLimit {
            var request = HTTPClientRequest(url: place.url)
            request.headers = headers
            if place.origin == source.origin {
                if let userInfo = source.userInfo {
                    request.headers.add(
                        name: "Authorization",
                        value: "Basic \(Data(userInfo.utf8).base64EncodedString())"
                    )
                }
                for (name, value) in options.headers { request.headers.replaceOrAdd(name: name, value: value) }
            }
            let response = try await client.execute(request, deadline: .now() + .hours(24))
            guard [301, 302, 303, 307, 308].contains(response.status.code),
                let location = response.headers.first(name: "Location")
            else { return response }
            place = try place.redirected(to: location)
        }
        throw ConnectorError("\(source.shown) redirects more than \(Self.redirectLimit) times.")
    }

    /// Takes the answer that holds the whole file.
    private mutating func begin(_ response: HTTPClientResponse) throws {
        let headers = response.headers
        let size = headers.first(name: "Content-Length").flatMap { Int64($0) }
        try checkSize(size ?? 0)
        if let coding = headers.first(name: "Content-Encoding"), coding.lowercased() != "identity" {
            // Bytes that are packed for the way are another file than the one that was asked for.
            let sentence = "\(source.shown) came packed by '\(coding.prefix(40))', and is stored like that."
            if !warnings.contains(sentence) { warnings.append(sentence) }
        }
        try part.begin(
            .init(
                validators: HTTPValidators(headers),
                name: HTTPAnswerFields.fileName(headers),
                sizeBytes: size
            )
        )
        isSpliced = false
        announced = AnnouncedHashes(headers, isWhole: true)
        progress.begin(label, totalBytes: size)
    }

    /// Takes the answer that holds the rest of the file.
    private mutating func goOn(_ response: HTTPClientResponse, from asked: Int64) throws {
        let validators = HTTPValidators(response.headers)
        let range = HTTPAnswerFields.contentRange(response.headers)
        let isSame =
            (validators.etag == nil || validators.etag == part.record.validators.etag)
            && (range?.size == nil || part.record.sizeBytes == nil || range?.size == part.record.sizeBytes)
        guard let range, range.start == asked, isSame else {
            // Not the rest of what is here, whatever the server says.
            try part.begin(.init())
            throw Passing(message: "The server sent another part than was asked for", retryAfter: .zero)
        }
        isSpliced = true
        announced = AnnouncedHashes(response.headers, isWhole: false)
        progress.begin(label, totalBytes: part.record.sizeBytes)
        progress.advance(bytes: asked)
    }

    private var label: String { part.record.name ?? source.name ?? source.shown }

    private mutating func receive(_ response: HTTPClientResponse) async throws {
        let file = try part.openForAppending()
        defer { close(file) }
        for try await buffer in response.body {
            try Task.checkCancellation()
            let (sum, isTooLarge) = part.count.addingReportingOverflow(Int64(buffer.readableBytes))
            try checkSize(isTooLarge ? .max : sum)
            try part.append(buffer, to: file)
            progress.advance(bytes: Int64(buffer.readableBytes))
        }
        guard part.record.sizeBytes == nil || part.record.sizeBytes == part.count else {
            // The way in between may end an answer early and call it whole.
            if part.count > part.record.sizeBytes ?? 0 { try part.begin(.init()) }
            throw Passing(message: "The answer ended after \(part.count) bytes")
        }
    }

    private mutating func checkSize(_ bytes: Int64) throws {
        guard bytes > options.maximumBytes else { return }
        try part.begin(.init())
        throw ConnectorError("\(source.shown) is larger than \(options.maximumBytes) bytes, the most that is wanted.")
    }

    /// Compares the whole file with all that is known of it.
    private mutating func check() async throws {
        let (sha256, md5) = try await part.hashes()
        let digest = Digest(bytes: sha256)?.hex ?? ""
        var isRight = announced?.sha256 == nil || announced?.sha256 == sha256
        isRight = isRight && (announced?.md5 == nil || announced?.md5 == md5)
        isRight = isRight && (options.sha256 == nil || options.sha256 == digest)
        if isRight { return try part.finish(sha256: digest) }
        try part.begin(.init())
        if isSpliced {
            // The parts may not have belonged together; a download in one piece tells.
            throw Passing(message: "The parts do not have the hash that was announced", retryAfter: .zero)
        }
        throw ConnectorError(
            "\(source.shown) has the SHA-256 \(digest), and not the hash that was \(options.sha256 == nil ? "announced" : "expected").",
            code: .dataLoss
        )
    }

    /// What a failed connection means.
    private static func words(_ error: any Error) -> String {
        guard let error = error as? HTTPClientError else { return "\(error)" }
        return error.shortDescription
    }
}
