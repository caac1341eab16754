import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// The only way in which the server calls addresses that came through its API.
///
/// The host is resolved once, refused unless all of its addresses are public, and connected to at exactly such an
/// address, so that a second answer of the name server changes nothing. Redirects are not followed, and nothing of
/// an answer is handed on but its status.
package struct Egress: Sendable {
    /// What is allowed.
    package struct Policy: Sendable {
        package var schemes: [String]
        /// Whether hosts in private networks may be called; for development.
        package var allowsPrivateAddresses: Bool
        /// From resolving the name to the head of the answer.
        package var timeout: Duration

        package init(
            schemes: [String] = ["https"],
            allowsPrivateAddresses: Bool = false,
            timeout: Duration = .seconds(30)
        ) {
            self.schemes = schemes
            self.allowsPrivateAddresses = allowsPrivateAddresses
            self.timeout = timeout
        }
    }

    /// What the other side said.
    package struct Answer: Sendable, Equatable {
        package let status: Int
        /// How long it asks to wait, in seconds.
        package let retryAfterSeconds: Int?

        package init(status: Int, retryAfterSeconds: Int? = nil) {
            self.status = status
            self.retryAfterSeconds = retryAfterSeconds
        }
    }

    private let policy: Policy
    private let resolver: any HostResolver

    package init(policy: Policy = Policy(), resolver: any HostResolver = SystemHostResolver()) {
        self.policy = policy
        self.resolver = resolver
    }

    /// Checks that an address may be called now.
    ///
    /// - Parameters:
    ///   - address: As the client wrote it.
    ///   - subject: What messages call it, such as `Webhook URL`.
    /// - Throws: ``EgressError``.
    package func check(_ address: String, subject: String) async throws {
        let url = try EgressURL(address, subject: subject, schemes: policy.schemes)
        guard !policy.allowsPrivateAddresses else { return }
        _ = try await addresses(of: url, subject)
    }

    /// Sends a message.
    ///
    /// - Parameters:
    ///   - address: As the client wrote it.
    ///   - subject: What messages call it.
    ///   - headers: Beyond those that every request has.
    ///   - body: Sent as it is.
    ///   - attempt: From 0; with several addresses each attempt takes another.
    /// - Returns: The answer, whatever its status.
    /// - Throws: ``EgressError``, or `CancellationError`.
    package func post(
        to address: String,
        subject: String,
        headers: [(name: String, value: String)],
        body: [UInt8],
        attempt: Int = 0
    ) async throws -> Answer {
        let url = try EgressURL(address, subject: subject, schemes: policy.schemes)
        return try await withThrowingTaskGroup(of: Answer.self) { group in
            group.addTask {
                let found = try await addresses(of: url, subject)
                let index = attempt.magnitude % UInt(max(1, found.count))
                guard let chosen = found.dropFirst(Int(clamping: index)).first else {
                    throw EgressError.unknownHost(subject: subject, host: url.host)
                }
                return try await send(url, chosen, headers, body)
            }
            group.addTask {
                try await Task.sleep(for: policy.timeout)
                throw EgressError.timedOut
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw EgressError.timedOut }
            return answer
        }
    }

    /// The addresses that may be connected to, IPv4 first.
    private func addresses(of url: EgressURL, _ subject: String) async throws -> [NetworkAddress] {
        let found: [NetworkAddress]
        if let literal = NetworkAddress(url.host) {
            found = [literal]
        } else {
            found = try await resolver.addresses(of: url.host)
        }
        guard !found.isEmpty else { throw EgressError.unknownHost(subject: subject, host: url.host) }
        guard policy.allowsPrivateAddresses || found.allSatisfy(\.isPublic) else {
            throw EgressError.notPublic(subject: subject, host: url.host)
        }
        return found.filter(\.isIPv4) + found.filter { !$0.isIPv4 }
    }

    private func send(
        _ url: EgressURL,
        _ address: NetworkAddress,
        _ headers: [(name: String, value: String)],
        _ body: [UInt8]
    ) async throws -> Answer {
        // A client for each call: the address that was checked belongs to its configuration.
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.dnsOverride = [url.host: address.description]
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(connect: .seconds(10))
        // Whoever calls decides when to try again; a refused connection is an answer.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(
            eventLoopGroupProvider: .shared(HTTPClient.defaultEventLoopGroup),
            configuration: configuration
        )
        var request = HTTPClientRequest(url: url.text)
        request.method = .POST
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        let outcome: Result<Answer, any Error>
        do {
            let response = try await client.execute(request, deadline: .distantFuture)
            outcome = .success(
                Answer(
                    status: Int(response.status.code),
                    retryAfterSeconds: response.headers.first(name: "Retry-After").flatMap { Int($0) }
                )
            )
        } catch is CancellationError {
            outcome = .failure(CancellationError())
        } catch {
            outcome = .failure(Task.isCancelled ? CancellationError() : EgressError.unreachable)
        }
        try? await client.shutdown()
        return try outcome.get()
    }
}
