import ApusKernel

#if canImport(Glibc)
    import Glibc
#endif

/// What a program writes: its output, piece by piece, and the beginning of its errors.
///
/// Reads both in turn, so that the program never waits for one of them. For one thread.
final class ChildOutput {
    /// Why reading ended early.
    enum Failure: Error {
        case timedOut
        /// More was announced than a buffer may hold.
        case tooLarge
        /// The output ended in the middle of something.
        case truncated
    }

    /// Bytes of errors that are kept.
    private static let errorLimit = 16 << 10
    private static let pieceBytes = 1 << 20

    private let output: Int32
    private let errors: Int32
    private let deadline: UInt64
    private let bufferLimit: Int
    private var buffer: UnsafeMutableRawBufferPointer
    /// Where the bytes that were not taken begin and end.
    private var start = 0
    private var end = 0
    private var outputEnded = false
    private var errorsEnded = false
    /// The first of the errors.
    private(set) var errorBytes: [UInt8] = []

    /// Takes the descriptors, which it closes.
    ///
    /// - Parameters:
    ///   - output: The reading end of the program's output.
    ///   - errors: The reading end of its errors.
    ///   - deadline: By the monotonic clock, in nanoseconds.
    ///   - bufferLimit: The most bytes that ``require(_:)`` gives at once.
    init(output: Int32, errors: Int32, deadline: UInt64, bufferLimit: Int) {
        self.output = output
        self.errors = errors
        self.deadline = deadline
        self.bufferLimit = bufferLimit
        buffer = .allocate(byteCount: 2 * Self.pieceBytes, alignment: 16)
    }

    deinit {
        buffer.deallocate()
        close(output)
        close(errors)
    }

    /// The bytes that are there, and not taken yet.
    var available: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[start..<end]) }

    /// The next bytes, at least so many, which stay until the next call.
    ///
    /// - Throws: ``Failure``.
    func require(_ count: Int) throws -> UnsafeRawBufferPointer {
        while end - start < count {
            guard try fill(room: count) else { throw Failure.truncated }
        }
        return available
    }

    /// Passes over bytes that ``require(_:)`` gave.
    func skip(_ count: Int) { start += min(count, end - start) }

    /// Waits for more bytes.
    ///
    /// - Returns: False at the end.
    func fill() throws -> Bool { try fill(room: end - start + 1) }

    /// Reads on until the program has closed both.
    func drain() throws {
        start = 0
        end = 0
        while try fill(room: 1) {
            start = 0
            end = 0
        }
        while !errorsEnded { try wait() }
    }

    /// Reads into the buffer, which is made large enough for `room` bytes from `start`.
    private func fill(room: Int) throws -> Bool {
        guard room <= bufferLimit else { throw Failure.tooLarge }
        if outputEnded { return false }
        if start == end {
            start = 0
            end = 0
        }
        if buffer.count - start < max(room, end - start + Self.pieceBytes / 4) { makeRoom(room) }
        while true {
            guard try wait() else { continue }
            let count = read(output, buffer.baseAddress.map { $0 + end }, min(Self.pieceBytes, buffer.count - end))
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else {
                outputEnded = true
                return false
            }
            end += count
            return true
        }
    }

    private func makeRoom(_ room: Int) {
        let kept = end - start
        let wanted = max(room, kept) + Self.pieceBytes
        if wanted > buffer.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: wanted * 2, alignment: 16)
            larger.copyMemory(from: available)
            buffer.deallocate()
            buffer = larger
        } else if let base = buffer.baseAddress {
            memmove(base, base + start, kept)
        }
        start = 0
        end = kept
    }

    /// Waits until one of them has something, and reads errors.
    ///
    /// - Returns: Whether the output has something.
    @discardableResult
    private func wait() throws -> Bool {
        var polled = [
            pollfd(fd: outputEnded ? -1 : output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errorsEnded ? -1 : errors, events: Int16(POLLIN), revents: 0),
        ]
        let now = monotonicNanoseconds()
        guard now < deadline else { throw Failure.timedOut }
        let milliseconds = min(60_000, (deadline - now) / 1_000_000 + 1)
        guard poll(&polled, 2, Int32(milliseconds)) > 0 else { return false }
        if polled[1].revents != 0 { readErrors() }
        return polled[0].revents != 0
    }

    private func readErrors() {
        var piece = [UInt8](repeating: 0, count: 4096)
        let count = read(errors, &piece, piece.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        guard count > 0 else {
            errorsEnded = true
            return
        }
        errorBytes += piece.prefix(min(count, Self.errorLimit - errorBytes.count))
    }
}
