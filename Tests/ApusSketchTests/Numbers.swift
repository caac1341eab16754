import ApusSketch
import Glibc
import Testing

/// Numbers of some shape, the same for the same seed.
enum Numbers: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case uniform, normal, heavyTail, fewDistinct, sorted, reversed, constant, alternating

    var testDescription: String { rawValue }

    func make(_ count: Int, seed: UInt64) -> [Double] {
        var random = SketchRandom(seed: seed)
        func uniform() -> Double { Double.random(in: 0.000_000_1..<1, using: &random) }
        return switch self {
        case .uniform: (0..<count).map { _ in uniform() }
        case .normal: (0..<count).map { _ in (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) * 15 + 100 }
        // Cauchy's distribution, which has no mean.
        case .heavyTail: (0..<count).map { _ in tan(.pi * (uniform() - 0.5)) }
        case .fewDistinct: (0..<count).map { _ in Double(Int.random(in: -3...3, using: &random)) }
        case .sorted: (0..<count).map { Double($0) }
        case .reversed: (0..<count).map { Double(count - $0) }
        case .constant: [Double](repeating: 42, count: count)
        // Small and large ones in turn, so that neighbours are never alike.
        case .alternating: (0..<count).map { Double($0 % 2 == 0 ? $0 : -$0) }
        }
    }
}

/// Deals numbers to parts of different sizes.
func split(_ numbers: [Double], into parts: Int, seed: UInt64) -> [[Double]] {
    var random = SketchRandom(seed: seed)
    var cuts = (1..<parts).map { _ in Int.random(in: 0...numbers.count, using: &random) }
    cuts = [0] + cuts.sorted() + [numbers.count]
    return zip(cuts, cuts.dropFirst()).map { Array(numbers[$0..<$1]) }
}

/// Merges in a random order, as a tree or one by one.
func mergeAll<S: Sketch>(_ sketches: [S], seed: UInt64) -> S? {
    var random = SketchRandom(seed: seed)
    var rest = sketches
    while rest.count > 1 {
        let taken = rest.remove(at: Int.random(in: rest.indices, using: &random))
        let target = Int.random(in: rest.indices, using: &random)
        rest[target].merge(taken)
    }
    return rest.first
}

extension HyperLogLog {
    init(_ numbers: [Double], precision: Int = 14) {
        self.init(precision: precision)
        numbers.withUnsafeBufferPointer { add(contentsOf: $0) }
    }
}

extension QuantileSketch {
    init(_ numbers: [Double], k: Int = 200, seed: UInt64 = 0) {
        self.init(k: k, seed: seed)
        numbers.withUnsafeBufferPointer { add(contentsOf: $0) }
    }
}

extension Moments {
    init(_ numbers: [Double]) {
        self.init()
        numbers.withUnsafeBufferPointer { add(contentsOf: $0) }
    }
}
