import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A server on a loopback port that answers as a test says, also wrongly.
final class ScriptedServer: Sendable {
    struct Request: Sendable {
        let line: String
        let headers: [String: String]
        /// Counts the requests, from 0.
        let index: Int
    }

    enum Step: Sendable {
        case send(String)
        case bytes([UInt8])
        case wait(milliseconds: UInt32)
        /// Closes the connection so that the other side sees it break.
        case cut
        /// Sends zeros until the other side has enough.
        case endless
    }

    let port: UInt16
    private let listener: Int32
    private let seen = Mutex<[Request]>([])
    private let answer: @Sendable (Request) -> [Step]

    init(_ answer: @escaping @Sendable (Request) -> [Step]) throws {
        self.answer = answer
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, length) == 0 && listen(socket, 64) == 0
                    && getsockname(socket, pointer, &length) == 0
            }
        }
        guard isBound else { throw ServerFailure() }
        port = UInt16(bigEndian: address.sin_port)
        Thread.start { [self] in serve() }
    }

    struct ServerFailure: Error {}

    var requests: [Request] { seen.withLock { $0 } }
    func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { break }
            Thread.start { [self] in
                while let request = read(connection), perform(answer(request), connection) {}
                close(connection)
            }
        }
        close(listener)
    }

    private func read(_ connection: Int32) -> Request? {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            var byte: UInt8 = 0
            guard recv(connection, &byte, 1, 0) == 1 else { return nil }
            head.append(byte)
        }
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts[1].drop { $0 == " " }.description
        }
        return seen.withLock { seen in
            let request = Request(line: lines.first ?? "", headers: headers, index: seen.count)
            seen.append(request)
            return request
        }
    }

    /// Returns whether the connection is still of use.
    private func perform(_ steps: [Step], _ connection: Int32) -> Bool {
        for step in steps {
            switch step {
            case .send(let text): if !send(Array(text.utf8), connection) { return false }
            case .bytes(let bytes): if !send(bytes, connection) { return false }
            case .wait(let milliseconds): usleep(milliseconds * 1000)
            case .cut:
                var reset = linger(l_onoff: 1, l_linger: 0)
                // What was sent arrives first.
                usleep(50_000)
                setsockopt(connection, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
                return false
            case .endless:
                let zeros = [UInt8](repeating: 0, count: 1 << 16)
                while send(zeros, connection) {}
                return false
            }
        }
        return true
    }

    private func send(_ bytes: [UInt8], _ connection: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(connection, buffer.baseAddress?.advanced(by: sent), buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}

/// A thread that may block.
enum Thread {
    private final class Work {
        let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body)).toOpaque()
        pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            work
        )
        pthread_detach(thread)
    }
}

extension ScriptedServer.Step {
    /// A whole answer.
    static func answer(_ status: String, _ headers: [String] = [], _ body: [UInt8] = []) -> [ScriptedServer.Step] {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.count)"] + headers
        return [.send(lines.joined(separator: "\r\n") + "\r\n\r\n"), .bytes(body)]
    }

    /// The beginning of an answer that is cut.
    static func cutAnswer(
        _ status: String,
        _ headers: [String],
        _ body: [UInt8],
        of size: Int
    ) -> [ScriptedServer.Step] {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(size)"] + headers
        return [.send(lines.joined(separator: "\r\n") + "\r\n\r\n"), .bytes(body), .cut]
    }
}
