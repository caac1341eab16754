import ApusJSON
import ApusKernel
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Writes one JSON line for each request, away from the request's path.
///
/// Lines are collected in memory and written several times a second; when the reader of the log is too slow, lines
/// are dropped and counted, and requests go on.
package final class AccessLog: Sendable {
    /// One answered request.
    struct Line: Sendable {
        let milliseconds: Int64
        let id: String
        let method: String
        let route: String
        let status: Int
        let microseconds: UInt64
    }

    private struct State {
        var bytes: [UInt8] = []
        var dropped = 0
    }

    private static let maximumPending = 4 << 20
    private let descriptor: Int32
    private let state = Mutex(State())

    /// - Parameter descriptor: An open file; stays open for the life of the process.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// The log of that name: a file, `-` for standard error, `off` for none.
    ///
    /// - Throws: ``RequestError`` when the file cannot be opened.
    package static func open(_ name: String) throws -> AccessLog? {
        switch name {
        case "off": return nil
        case "-": return AccessLog(descriptor: STDERR_FILENO)
        default:
            let descriptor = Glibc.open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw RequestError.invalid("The access log '\(name)' cannot be opened.") }
            return AccessLog(descriptor: descriptor)
        }
    }

    func record(_ line: Line) {
        var json = JSONWriter(capacity: 192)
        json.object { json in
            json.key("time_ms")
            json.integer(line.milliseconds)
            json.key("request_id")
            json.string(line.id)
            json.key("method")
            json.string(line.method)
            json.key("route")
            json.string(line.route)
            json.key("status")
            json.integer(Int64(line.status))
            json.key("duration_us")
            json.integer(Int64(clamping: line.microseconds))
        }
        state.withLock { state in
            guard state.bytes.count < Self.maximumPending else {
                state.dropped += 1
                return
            }
            state.bytes.append(contentsOf: json.bytes)
            state.bytes.append(0x0A)
        }
    }

    /// Writes what was collected; may block, so call it from a thread of its own.
    package func flush() {
        let (bytes, dropped) = state.withLock { state in
            defer { state = State() }
            return (state.bytes, state.dropped)
        }
        var rest = bytes[...]
        if dropped > 0 { rest += Array("{\"dropped_lines\":\(dropped)}\n".utf8) }
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
