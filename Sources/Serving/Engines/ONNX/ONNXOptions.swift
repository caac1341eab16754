/// How ONNX Runtime runs a model.
package struct ONNXOptions: Sendable, Equatable {
    /// How far the graph is rewritten at load.
    package enum GraphOptimization: String, Sendable, CaseIterable {
        case none, basic, extended, all
    }

    /// Threads that share one run.
    ///
    /// One is best for small models, whose runs then go side by side.
    package var intraOpThreads = 1
    /// Threads that run branches of a graph side by side, when ``runsBranchesInParallel``.
    package var interOpThreads = 1
    package var graphOptimization = GraphOptimization.all
    package var runsBranchesInParallel = false
    /// Whether idle threads spin; saves microseconds and costs a core.
    package var allowsSpinning = false
    /// Whether the runtime keeps the memory of its runs for later ones.
    ///
    /// All runs of a session pass its lock, which costs small models more than the allocator of the system. But of large
    /// answers the allocator keeps more than the runtime does.
    package var keepsMemory = true
    /// Such as `CUDA`; nil for the processor.
    package var executionProvider: String?
    package var device = 0

    package init() {}
}
