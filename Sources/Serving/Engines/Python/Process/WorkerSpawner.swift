import CProcess
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// What a process is started with.
struct ProcessPlan: Sendable {
    var executable: String
    var arguments: [String]
    var variables: [String: String]
    var folder: String
    var memoryLimit: UInt64 = 0
    var allowsNetwork = false
    var isConfined = true
    var readable: [String] = []
    var writable: [String] = []
}

/// What could be enforced for a process, as far as the machine offers it.
struct Enforcement: OptionSet, Sendable {
    let rawValue: Int32

    /// It only sees the files that it was given.
    static let files = Enforcement(rawValue: Int32(APUS_ENFORCED_FILES))
    static let signals = Enforcement(rawValue: Int32(APUS_ENFORCED_SIGNALS))
    static let networkSpace = Enforcement(rawValue: Int32(APUS_ENFORCED_NETWORK_SPACE))
    static let systemCalls = Enforcement(rawValue: Int32(APUS_ENFORCED_SYSTEM_CALLS))
    static let memory = Enforcement(rawValue: Int32(APUS_ENFORCED_MEMORY))
    static let noPowers = Enforcement(rawValue: Int32(APUS_ENFORCED_NO_POWERS))

    /// For the log.
    var words: String {
        let names: [(Enforcement, String)] = [
            (.files, "files"), (.signals, "signals"), (.networkSpace, "network"), (.systemCalls, "system calls"),
            (.memory, "memory"), (.noPowers, "powers"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}

/// Starts processes, all from one thread that never ends: the kernel kills them when the thread that started them does.
final class WorkerSpawner: Sendable {
    static let shared = WorkerSpawner()

    private struct Order: Sendable {
        let plan: ProcessPlan
        let channel: Int32
        let output: Int32
        let answer: Monitor<Result<(pid_t, Enforcement), StartFailure>?>
    }

    /// Why a process could not be started, in the system's words.
    struct StartFailure: Error {
        let reason: String
    }

    private let orders = Monitor<[Order]>([])

    private init() {
        startThread("spawner") { [orders] in
            while true {
                let next = orders.wait { orders -> Monitor<[Order]>.Step<Order> in
                    orders.isEmpty ? .waitForever : .finish(orders.removeFirst())
                }
                let result = Self.start(next)
                next.answer.withLock { $0 = result }
                next.answer.wakeAll()
            }
        }
    }

    /// Starts a process and blocks until it runs its program; `channel` becomes its descriptor 3 unless it is -1, and
    /// `output` its standard output and standard error.
    ///
    /// - Throws: ``StartFailure``.
    func start(_ plan: ProcessPlan, channel: Int32, output: Int32) throws -> (process: pid_t, enforced: Enforcement) {
        let answer = Monitor<Result<(pid_t, Enforcement), StartFailure>?>(nil)
        orders.withLock { $0.append(Order(plan: plan, channel: channel, output: output, answer: answer)) }
        orders.wakeAll()
        return try answer.wait { result in result.map { .finish($0) } ?? .waitForever }.get()
    }

    private static func start(_ order: Order) -> Result<(pid_t, Enforcement), StartFailure> {
        let plan = order.plan
        let variables = plan.variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var options = apus_process_options()
        var process = apus_process()
        var message = [CChar](repeating: 0, count: 256)
        let arguments = [plan.executable] + plan.arguments
        let code = withCStrings([arguments, variables, plan.readable, plan.writable]) { lists in
            plan.executable.withCString { executable in
                plan.folder.withCString { folder in
                    options.executable = executable
                    options.arguments = lists[0]
                    options.environment = lists[1]
                    options.directory = folder
                    options.channel = order.channel
                    options.input = -1
                    options.output = order.output
                    options.errors = -1
                    options.memory_limit = plan.memoryLimit
                    options.allows_network = plan.allowsNetwork ? 1 : 0
                    options.is_confined = plan.isConfined ? 1 : 0
                    options.readable = lists[2]
                    options.writable = lists[3]
                    return apus_process_start(&options, &process, &message, message.count)
                }
            }
        }
        guard code == 0 else {
            let bytes = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return .failure(StartFailure(reason: String(decoding: bytes, as: UTF8.self)))
        }
        return .success((process.process, Enforcement(rawValue: process.enforced)))
    }

    /// Calls `body` with lists of C strings, each of which ends with a null pointer.
    private static func withCStrings<Result>(
        _ lists: [[String]],
        _ body: ([UnsafePointer<UnsafePointer<CChar>?>]) -> Result
    ) -> Result {
        let copies = lists.map { list -> UnsafeMutablePointer<UnsafePointer<CChar>?> in
            let pointers = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: list.count + 1)
            for (index, text) in list.enumerated() { (pointers + index).initialize(to: UnsafePointer(strdup(text))) }
            (pointers + list.count).initialize(to: nil)
            return pointers
        }
        defer {
            for (list, pointers) in zip(lists, copies) {
                for index in 0..<list.count { free(UnsafeMutablePointer(mutating: pointers[index])) }
                pointers.deallocate()
            }
        }
        return body(copies.map { UnsafePointer($0) })
    }
}
