import Datasets
import Testing

@Suite struct `Spreads` {
    /// Numbers that scipy and Evidently's formulas give for the same parts.
    @Test func `distances are those of scipy`() {
        let (reference, current) = ([0.5, 0.3, 0.2, 0], [0.4, 0.25, 0.25, 0.1])
        func distance(_ method: DriftMethod) -> Double {
            SpreadDistance.of(method, reference: reference, current: current)
        }
        #expect(abs(distance(.psi) - 0.7326723629071447) < 1e-12)
        #expect(abs(distance(.kl) - 0.12083666823789396) < 1e-12)
        #expect(abs(distance(.js) - 0.19992642590630916) < 1e-12)
        #expect(abs(distance(.lInfinity) - 0.1) < 1e-12)
    }

    @Test func `bins are numpy's`() {
        #expect(SpreadBins(over: 0...36.63, total: 100, areIntegers: false).count == 8)
        #expect(SpreadBins(over: 0...49, total: 50, areIntegers: true).count == 7)
        #expect(SpreadBins(over: 1...9, total: 4, areIntegers: true).count == 3)
        // Bins of integers are not narrower than 1.
        #expect(SpreadBins(over: 0...3, total: 100_000, areIntegers: true).count == 3)
        #expect(SpreadBins(over: 5...5, total: 10, areIntegers: false).count == 1)
    }

    @Test(arguments: [DriftMethod.psi, .kl, .js, .lInfinity])
    func `the range holds whatever the parts are`(method: DriftMethod) {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let count = Int.random(in: 2...12, using: &random)
            func parts() -> [Double] {
                let raw = (0..<count).map { _ in Double.random(in: 0.05...1, using: &random) }
                let sum = raw.reduce(0, +)
                return raw.map { $0 / sum }
            }
            let (reference, current) = (parts(), parts())
            let error = 0.01
            /// The same parts, moved by less than the error.
            func moved(_ parts: [Double]) -> [Double] {
                var moved = parts
                for place in stride(from: 0, to: count - 1, by: 2) {
                    let step = Double.random(in: -error...error, using: &random)
                    guard moved[place] + step > 0, moved[place + 1] - step > 0 else { continue }
                    moved[place] += step
                    moved[place + 1] -= step
                }
                return moved
            }
            let range = SpreadDistance.range(
                method,
                reference: reference,
                current: current,
                referenceError: error,
                currentError: error
            )
            let distance = SpreadDistance.of(method, reference: moved(reference), current: moved(current))
            #expect(range.lowerBound <= distance + 1e-9 && distance <= range.upperBound + 1e-9)
        }
    }
}
