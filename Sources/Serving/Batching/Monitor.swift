import CNIOLinux

#if canImport(Glibc)
    import Glibc
#endif

/// A lock on a value, and a signal for threads that wait for it to change.
///
/// For threads of ours that may block; tasks of the cooperative pool only take the lock for a moment.
final class Monitor<Value>: @unchecked Sendable {
    // Sound because `value` is touched under `lock` only.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let signal: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    init(_ value: sending Value) {
        self.value = value
        lock = .allocate(capacity: 1)
        signal = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(signal, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(signal)
        pthread_mutex_destroy(lock)
        signal.deallocate()
        lock.deallocate()
    }

    func withLock<T>(_ body: (inout Value) throws -> T) rethrows -> T {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value)
    }

    /// What ``wait(_:)`` is to do.
    enum Step<T> {
        case finish(T)
        case waitForever
        /// Until that moment of the monotonic clock, in nanoseconds, at the latest.
        case wait(until: UInt64)
    }

    /// Blocks until `body`, which is asked after each change, finishes.
    func wait<T>(_ body: (inout Value) -> Step<T>) -> T {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while true {
            switch body(&value) {
            case .finish(let result): return result
            case .waitForever: pthread_cond_wait(signal, lock)
            case .wait(let until):
                var moment = timespec(tv_sec: Int(until / 1_000_000_000), tv_nsec: Int(until % 1_000_000_000))
                pthread_cond_timedwait(signal, lock, &moment)
            }
        }
    }

    func wakeOne() { pthread_cond_signal(signal) }
    func wakeAll() { pthread_cond_broadcast(signal) }
}

/// A thread that may block for as long as it likes.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    final class Box {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(name, body))
    let code = pthread_create(
        &thread,
        nil,
        { argument in
            guard let argument else { return nil }
            let box = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
            nameThread(box.name)
            box.body()
            return nil
        },
        box.toOpaque()
    )
    if code == 0 {
        pthread_detach(thread)
    } else {
        // No thread is to be had: the work is done all the same, later and more slowly.
        box.release()
        Task.detached { body() }
    }
}

/// Shows the thread under that name in tools such as `top`; the kernel keeps 15 bytes.
private func nameThread(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    let bytes = Array(name.utf8.prefix(15))
    _ = write(file, bytes, bytes.count)
    close(file)
}
