import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Finds the addresses of a host name; passed in so that tests need no name server.
package protocol HostResolver: Sendable {
    /// All addresses of a name; none when it is unknown.
    ///
    /// - Throws: ``EgressError`` when there is no answer.
    func addresses(of host: String) async throws -> [NetworkAddress]
}

/// The machine's resolver, on threads of its own because it blocks.
package final class SystemHostResolver: HostResolver {
    private static let lookupsAtOnce = 8
    private static let limitSeconds = 5.0

    private let queue = DispatchQueue(label: "apus.egress.resolver", attributes: .concurrent)
    private let running = Atomic<Int>(0)

    package init() {}

    package func addresses(of host: String) async throws -> [NetworkAddress] {
        guard running.wrappingAdd(1, ordering: .relaxed).newValue <= Self.lookupsAtOnce else {
            running.wrappingSubtract(1, ordering: .relaxed)
            throw EgressError.busy
        }
        return try await withCheckedThrowingContinuation { continuation in
            // The lookup cannot be cancelled, so whoever comes first answers and the other is ignored.
            let answer = FirstAnswer(continuation)
            queue.async { [self] in
                answer.resume(.success(Self.lookUp(host)))
                running.wrappingSubtract(1, ordering: .relaxed)
            }
            queue.asyncAfter(deadline: .now() + Self.limitSeconds) { answer.resume(.failure(EgressError.timedOut)) }
        }
    }

    private final class FirstAnswer: Sendable {
        private let continuation: Mutex<CheckedContinuation<[NetworkAddress], any Error>?>

        init(_ continuation: CheckedContinuation<[NetworkAddress], any Error>) {
            self.continuation = Mutex(continuation)
        }

        func resume(_ result: Result<[NetworkAddress], any Error>) {
            let waiting = continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }
            waiting?.resume(with: result)
        }
    }

    private static func lookUp(_ host: String) -> [NetworkAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [NetworkAddress] = []
        var next = list
        while let entry = next {
            if let address = address(of: entry.pointee), !found.contains(address) { found.append(address) }
            next = entry.pointee.ai_next
        }
        return found
    }

    private static func address(of entry: addrinfo) -> NetworkAddress? {
        guard let socket = entry.ai_addr else { return nil }
        let raw = UnsafeRawPointer(socket)
        switch entry.ai_family {
        case AF_INET where Int(entry.ai_addrlen) >= MemoryLayout<sockaddr_in>.size:
            var address = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            return NetworkAddress(bytes: withUnsafeBytes(of: &address) { Array($0) })
        case AF_INET6 where Int(entry.ai_addrlen) >= MemoryLayout<sockaddr_in6>.size:
            var address = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return NetworkAddress(bytes: withUnsafeBytes(of: &address) { Array($0) })
        default:
            return nil
        }
    }
}
