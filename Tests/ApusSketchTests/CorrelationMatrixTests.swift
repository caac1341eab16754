import ApusSketch
import Testing

@Suite struct CorrelationMatrixTests {
    private func expect(_ matrix: CorrelationMatrix, _ expected: [[Double?]]) {
        for (left, row) in expected.enumerated() {
            for (right, value) in row.enumerated() {
                guard let value else {
                    #expect(matrix[left, right] == nil, "\(left) \(right)")
                    continue
                }
                #expect(
                    abs((matrix[left, right] ?? 9) - value) < 1e-9,
                    "\(left) \(right): \(matrix[left, right] ?? .nan)"
                )
            }
        }
    }

    private let rows: [[Double]] = [
        [1, 2, 7, 1], [2, 1, .nan, 1], [3, 4, 1, 1], [4, 3, 2, 1], [5, 9, -.infinity, 1], [6, 9, 0, 1], [7, 30, 4, 1],
    ]

    /// Those of `DataFrame(rows).corr(method)` with NaN for the infinity.
    @Test func `coefficients are those of pandas`() {
        expect(
            CorrelationMatrix(.pearson, rows: rows, columnCount: 4),
            [
                [1, 0.802_485_915_676_912_6, -0.483_022_307_041_841_24, nil],
                [0.802_485_915_676_912_6, 1, 0.073_812_618_215_365_79, nil],
                [-0.483_022_307_041_841_24, 0.073_812_618_215_365_79, 1, nil],
                [nil, nil, nil, nil],
            ]
        )
        expect(
            CorrelationMatrix(.spearman, rows: rows, columnCount: 4),
            [
                [1, 0.918_956_211_949_470_1, -0.3, nil], [0.918_956_211_949_470_1, 1, -0.4, nil], [-0.3, -0.4, 1, nil],
                [nil, nil, nil, nil],
            ]
        )
    }

    @Test func `each pair takes the rows that both have`() {
        let matrix = CorrelationMatrix(.pearson, rows: rows, columnCount: 4)
        #expect(matrix.count(0, 1) == 7)
        #expect(matrix.count(0, 2) == 5)
        #expect(matrix.count(2, 2) == 5)
        let short = CorrelationMatrix(.pearson, rows: [[1], [2, 5], [3, 6]], columnCount: 2)
        #expect(short.count(0, 1) == 2)
        #expect(short[0, 1] == 1)
    }

    @Test func `ranks see any rising line`() throws {
        let rows = (1...50).map { [Double($0), Double($0 * $0 * $0), -Double($0).squareRoot()] }
        let spearman = CorrelationMatrix(.spearman, rows: rows, columnCount: 3)
        expect(spearman, [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
        let pearson = CorrelationMatrix(.pearson, rows: rows, columnCount: 3)
        let straight = try #require(pearson[0, 1])
        #expect(straight < 0.95)
    }

    @Test func `large and small numbers neither overflow nor vanish`() {
        for scale in [1e-300, 1e-150, 1, 1e150, 1e307] {
            let rows = [[1, 2], [2, 3], [3, 7], [4, 8.0]].map { $0.map { $0 * scale } }
            let matrix = CorrelationMatrix(.pearson, rows: rows, columnCount: 2)
            expect(matrix, [[1, 0.964_763_821_237_732_2], [0.964_763_821_237_732_2, 1]])
        }
    }

    @Test(arguments: CorrelationMatrix.Method.allCases)
    func `no rows, one row, and no columns`(method: CorrelationMatrix.Method) {
        #expect(CorrelationMatrix(method, rows: [], columnCount: 2)[0, 1] == nil)
        #expect(CorrelationMatrix(method, rows: [[1, 2]], columnCount: 2)[0, 0] == nil)
        #expect(CorrelationMatrix(method, rows: [[1, 2]], columnCount: 0).columnCount == 0)
    }
}
