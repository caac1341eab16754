import ApusKernel
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// Why nothing more comes from a worker.
enum ChannelFailure: Error {
    /// Its end of the channel is closed, which is how its death is noticed.
    case closed
    case timedOut
    /// It sent what is no answer.
    case malformed(String)
}

/// Frames to and from a worker, one question at a time.
///
/// - SeeAlso: `apus_worker.py`, which describes them.
final class WorkerChannel: Sendable {
    private static let magic: UInt32 = 0x5355_5041
    static let prefixBytes = 16
    /// A larger answer is taken for a fault of the worker.
    private static let largestHeader = 1 << 24
    private static let largestBody = 1 << 31
    private let descriptor: Int32

    /// - Parameter descriptor: A connected socket, which is closed with the channel; it must not block.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Two ends of a channel: ours, and the one for the worker.
    static func pair() -> (ours: Int32, theirs: Int32)? {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            return nil
        }
        var size: Int32 = 1 << 20
        for end in ends {
            for option in [SO_SNDBUF, SO_RCVBUF] {
                setsockopt(end, SOL_SOCKET, option, &size, socklen_t(MemoryLayout<Int32>.size))
            }
        }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        return (ends[0], ends[1])
    }

    /// Says that nothing more will be asked, upon which the worker ends by itself.
    func finish() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    // MARK: Sending

    /// Sends a frame, whose body is `parts` one after the other.
    ///
    /// - Throws: ``ChannelFailure``.
    func send(header: ByteBuffer, parts: [ByteBuffer], until: UInt64) throws {
        let bodyBytes = parts.reduce(0) { $0 + aligned($1.readableBytes) }
        var buffer = ByteBuffer()
        let headerBytes = aligned(header.readableBytes)
        let isSmall = bodyBytes <= 1 << 16
        buffer.reserveCapacity(Self.prefixBytes + headerBytes + (isSmall ? bodyBytes : 16))
        buffer.writeInteger(Self.magic, endianness: .little)
        buffer.writeInteger(UInt32(headerBytes), endianness: .little)
        buffer.writeInteger(UInt64(bodyBytes), endianness: .little)
        buffer.writeImmutableBuffer(header)
        buffer.writeRepeatingByte(0, count: headerBytes - header.readableBytes)
        for part in parts {
            // What is large is sent from where it is.
            if !isSmall {
                try write(buffer, until: until)
                try write(part, until: until)
                buffer.clear()
            } else {
                buffer.writeImmutableBuffer(part)
            }
            buffer.writeRepeatingByte(0, count: aligned(part.readableBytes) - part.readableBytes)
        }
        try write(buffer, until: until)
    }

    private func write(_ buffer: ByteBuffer, until: UInt64) throws {
        try buffer.withUnsafeReadableBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let count = Glibc.send(
                    descriptor,
                    bytes.baseAddress?.advanced(by: offset),
                    bytes.count - offset,
                    Int32(MSG_NOSIGNAL)
                )
                if count >= 0 {
                    offset += count
                } else if errno == EAGAIN {
                    try wait(for: Int16(POLLOUT), until: until)
                } else if errno != EINTR {
                    throw ChannelFailure.closed
                }
            }
        }
    }

    // MARK: Receiving

    /// The next frame.
    ///
    /// - Throws: ``ChannelFailure``.
    func receive(until: UInt64) throws -> (header: ByteBuffer, body: ByteBuffer) {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(4096)
        try fill(&buffer, to: Self.prefixBytes, until: until)
        guard buffer.readInteger(endianness: .little, as: UInt32.self) == Self.magic,
            let headerBytes = buffer.readInteger(endianness: .little, as: UInt32.self),
            let bodyBytes = buffer.readInteger(endianness: .little, as: UInt64.self),
            headerBytes <= Self.largestHeader, bodyBytes <= Self.largestBody
        else { throw ChannelFailure.malformed("a frame that is none, or too large") }
        try fill(&buffer, to: Int(headerBytes) + Int(bodyBytes), until: until)
        guard let header = buffer.readSlice(length: Int(headerBytes)),
            let body = buffer.readSlice(length: Int(bodyBytes))
        else { throw ChannelFailure.malformed("a frame that is too short") }
        return (header, body)
    }

    /// Reads until the buffer holds so many bytes; more, if they are there.
    private func fill(_ buffer: inout ByteBuffer, to count: Int, until: UInt64) throws {
        while buffer.readableBytes < count {
            // The answer to one question is all that comes, so what is beyond belongs to it.
            let room = max(count - buffer.readableBytes, 4096)
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
                max(0, recv(descriptor, target.baseAddress, target.count, 0))
            }
            guard got == 0 else { continue }
            try wait(for: Int16(POLLIN), until: until)
        }
    }

    /// Waits until the socket can be read or written.
    private func wait(for event: Int16, until: UInt64) throws {
        while true {
            let now = monotonicNanoseconds()
            guard now < until else { throw ChannelFailure.timedOut }
            let milliseconds = Int32(clamping: (until - now) / 1_000_000 + 1)
            var entry = pollfd(fd: descriptor, events: event, revents: 0)
            let count = poll(&entry, 1, milliseconds)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { continue }
            // What came before the end is still read.
            if entry.revents & event != 0, event == Int16(POLLOUT) || hasBytes { return }
            throw ChannelFailure.closed
        }
    }

    /// Whether there is something to read; a closed socket is always readable, and empty.
    private var hasBytes: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK)) > 0
    }
}

/// The next multiple of 16.
func aligned(_ length: Int) -> Int { (length + 15) & ~15 }
