import ApusDatabase

/// Reads the histories of one metric at the resolution of a chart.
///
/// Of each chunk it reads the coarsest level whose buckets are no wider than a column of the chart, and the points
/// themselves where the columns are finer than any level. Where points lie far apart, so that some buckets are wider than
/// columns, those are read from a finer level. A bucket that lies across the edge of two columns stands for the points of
/// both: a spike is where it was, but a smaller one less than a column away from it may be left out.
struct SeriesReader {
    let key: Int64
    let axis: SeriesAxis
    /// At least 1.
    let columns: Int

    /// A bucket may be this many columns wide.
    private static let widest = 2.0
    /// So many buckets of the finest level may be wider than that before the points themselves are read: there is one at
    /// each pause of a run.
    private static let wideAtFinest = 4
    /// A finer level is this many times finer.
    private static let refinement = 8

    /// A chunk before its points are read.
    fileprivate struct Chunk {
        let id: Int64
        let run: Int64
        let count: Int
        /// Where its points stand on the axis.
        let extent: ClosedRange<Double>
        /// Which of its levels serve the axis.
        let levels: SeriesAxis
    }

    /// A level of some chunks, or their points.
    private struct Source: Hashable {
        let levels: SeriesAxis
        /// The points of a bucket; 1 for the points themselves.
        let size: Int
    }

    /// A chunk, and which of its points are asked for; nil for all.
    private typealias Wish = (chunk: Chunk, parts: [Range<Int>]?)

    /// Where the points of runs stand on the axis; nil when there are none.
    func extent(runs: [Int64], _ transaction: Transaction) throws -> ClosedRange<Double>? {
        let (places, chunks, _) = try histories(runs, transaction)
        return Self.extent(places, chunks)
    }

    private static func extent(_ places: [Int64: [M4.Place]], _ chunks: [Chunk]) -> ClosedRange<Double>? {
        let ends = chunks.flatMap { [$0.extent.lowerBound, $0.extent.upperBound] } + places.values.joined().map(\.x)
        guard let low = ends.min(), let high = ends.max() else { return nil }
        return low...high
    }

    /// The histories of runs; one that has no points is left out.
    ///
    /// `shown` is the part of the axis that the chart has, nil for all that these runs have.
    func read(
        runs: [Int64],
        shown: ClosedRange<Double>?,
        _ transaction: Transaction
    ) throws -> [Int64: SeriesFound] {
        let (places, chunks, origins) = try histories(runs, transaction)
        guard let shown = shown ?? Self.extent(places, chunks) else { return [:] }
        let width = (shown.upperBound - shown.lowerBound) / Double(columns)

        var found: [Int64: SeriesFound] = [:]
        for (run, places) in places {
            var own = SeriesFound(shown: shown)
            for place in places { own.append(place) }
            own.total = own.places.count
            found[run] = own
        }
        var wishes: [Source: [Wish]] = [:]
        for chunk in Self.near(shown, chunks) {
            let size = width > 0 ? chunk.level(forColumnsOf: width) : chunk.count
            let source = Source(levels: chunk.levels, size: MetricLevels.size(upTo: size, of: chunk.count))
            wishes[source, default: []].append((chunk, nil))
            found[chunk.run, default: SeriesFound(shown: shown)].total += chunk.points(in: shown)
        }
        while let (source, some) = wishes.popFirst() {
            try read(source, some, width, origins, &found, transaction) { finer, wish in
                wishes[finer, default: []].append(wish)
            }
        }
        return found.mapValues { $0.reduced(width: width) }
    }

    /// What there is of runs before levels are read: points that are in none, chunks, and where each run begins.
    private func histories(
        _ runs: [Int64],
        _ transaction: Transaction
    ) throws -> (places: [Int64: [M4.Place]], chunks: [Chunk], origins: [Int64: Double]) {
        let loose = try loosePoints(runs, transaction)
        var chunks = try chunks(runs, transaction)
        var origins: [Int64: Double] = [:]
        if axis == .relative {
            for chunk in chunks { origins[chunk.run] = min(origins[chunk.run] ?? .infinity, chunk.extent.lowerBound) }
            for (run, points) in loose {
                let first = points.lazy.map { Double($0.timestamp) }.min() ?? .infinity
                origins[run] = min(origins[run] ?? .infinity, first)
            }
            chunks = chunks.map { chunk in
                let origin = origins[chunk.run] ?? 0
                let extent = (chunk.extent.lowerBound - origin)...(chunk.extent.upperBound - origin)
                return Chunk(id: chunk.id, run: chunk.run, count: chunk.count, extent: extent, levels: chunk.levels)
            }
        }
        var places: [Int64: [M4.Place]] = [:]
        for (run, points) in loose { places[run] = points.map { place($0, origin: origins[run] ?? 0) } }
        return (places, chunks, origins)
    }

    @inline(__always) private func place(_ point: MetricPack.Point, origin: Double) -> M4.Place {
        let x = axis == .step ? Double(point.step) : Double(point.timestamp)
        return M4.Place(x: x - origin, value: point.logged)
    }

    /// The points that are in no chunk yet, and those of chunks of earlier versions, of which nothing else is known.
    private func loosePoints(_ runs: [Int64], _ transaction: Transaction) throws -> [Int64: [MetricPack.Point]] {
        var points: [Int64: [MetricPack.Point]] = [:]
        try transaction.forEach(
            "SELECT run_id, points FROM metric_tail WHERE run_id IN (?*) ORDER BY tail_id",
            [.integers(runs)]
        ) { MetricPack.append(tail: $0.blob(1), of: key, to: &points[$0.integer(0), default: []]) }
        try transaction.forEach(
            "SELECT run_id, points FROM metric_chunks WHERE run_id IN (?*) AND key_id = ? AND point_count = 0",
            [.integers(runs), .integer(key)]
        ) { MetricPack.append(chunk: $0.blob(1), to: &points[$0.integer(0), default: []]) }
        return points.filter { !$0.value.isEmpty }
    }

    private func chunks(_ runs: [Int64], _ transaction: Transaction) throws -> [Chunk] {
        try transaction.query(
            """
            SELECT chunk_id, run_id, point_count, is_step_ordered, min_timestamp, max_timestamp, min_step, max_step
            FROM metric_chunks
            WHERE run_id IN (?*) AND key_id = ? AND point_count > 0
            ORDER BY run_id, min_timestamp, max_timestamp, chunk_id
            """,
            [.integers(runs), .integer(key)]
        ) { row in
            let (low, high) = axis == .step ? (row.integer(6), row.integer(7)) : (row.integer(4), row.integer(5))
            return Chunk(
                id: row.integer(0),
                run: row.integer(1),
                count: Int(clamping: row.integer(2)),
                extent: Double(low)...Double(max(low, high)),
                levels: axis == .step && row.integer(3) == 0 ? .step : .time
            )
        }
    }

    /// The chunks that are seen, and of each run the nearest on either side, so that lines run on to the edges.
    private static func near(_ shown: ClosedRange<Double>, _ chunks: [Chunk]) -> [Chunk] {
        var near = chunks.filter { $0.extent.overlaps(shown) }
        var sides: [Int64: (before: Chunk?, after: Chunk?)] = [:]
        for chunk in chunks where !chunk.extent.overlaps(shown) {
            var side = sides[chunk.run] ?? (nil, nil)
            if chunk.extent.upperBound < shown.lowerBound {
                if side.before.map({ $0.extent.upperBound < chunk.extent.upperBound }) ?? true { side.before = chunk }
            } else if side.after.map({ $0.extent.lowerBound > chunk.extent.lowerBound }) ?? true {
                side.after = chunk
            }
            sides[chunk.run] = side
        }
        for side in sides.values { near += [side.before, side.after].compactMap(\.self) }
        return near
    }

    /// Reads a level of some chunks; what is too wide there is given to `refine`, to be read from a finer one.
    private func read(
        _ source: Source,
        _ wishes: [Wish],
        _ width: Double,
        _ origins: [Int64: Double],
        _ found: inout [Int64: SeriesFound],
        _ transaction: Transaction,
        refine: (Source, Wish) -> Void
    ) throws {
        let byID = Dictionary(wishes.map { ($0.chunk.id, $0) }, uniquingKeysWith: { first, _ in first })
        let ids: SQLValue = .integers(byID.keys.sorted())
        let step = source.size == 1 ? 1 : MetricLevels.pointsPerBucket
        let (sql, values): (String, [SQLValue]) =
            source.size == 1
            ? ("SELECT chunk_id, points FROM metric_chunks WHERE chunk_id IN (?*)", [ids])
            : (
                "SELECT chunk_id, buckets FROM metric_levels WHERE chunk_id IN (?*) AND axis = ? AND bucket_size = ?",
                [ids, .text(source.levels.rawValue), .integer(Int64(source.size))]
            )
        try transaction.forEach(sql, values) { row in
            guard let wish = byID[row.integer(0)], var own = found.removeValue(forKey: wish.chunk.run) else { return }
            defer { found[wish.chunk.run] = own }
            let origin = origins[wish.chunk.run] ?? 0
            var wide: [Range<Int>] = []
            var parts = ArraySlice(wish.parts ?? [0..<wish.chunk.count])
            MetricPack.withPoints(ofChunk: row.blob(1)) { points in
                for bucket in 0..<(points.count / step) {
                    let start = bucket * source.size
                    while let part = parts.first, part.upperBound <= start { parts = parts.dropFirst() }
                    guard let part = parts.first else { break }
                    guard part.contains(start) else { continue }
                    let first = place(points[bucket * step], origin: origin)
                    own.append(first)
                    guard step > 1 else { continue }
                    for index in 1..<step { own.append(place(points[bucket * step + index], origin: origin)) }
                    let last = place(points[bucket * step + step - 1], origin: origin)
                    if last.x - first.x > width * Self.widest, own.shows(first.x...max(first.x, last.x)) {
                        wide.append(start..<(start + source.size))
                    }
                }
            }
            guard step > 1, wide.count > (source.size == MetricLevels.finest ? Self.wideAtFinest : 0) else { return }
            let finer = source.size == MetricLevels.finest ? 1 : max(MetricLevels.finest, source.size / Self.refinement)
            refine(Source(levels: source.levels, size: finer), (wish.chunk, wide))
        }
    }
}

extension SeriesReader.Chunk {
    /// How many points are as wide as a column, if all are equally far apart.
    fileprivate func level(forColumnsOf width: Double) -> Int {
        let extent = extent.upperBound - extent.lowerBound
        return extent > 0 ? Int(clamping: Int64(min(Double(count), width * Double(count) / extent))) : count
    }

    /// About how many of its points a range holds.
    fileprivate func points(in shown: ClosedRange<Double>) -> Int {
        guard extent.overlaps(shown) else { return 0 }
        let whole = extent.upperBound - extent.lowerBound
        let part = extent.clamped(to: shown)
        guard whole > 0, part != extent else { return count }
        return Int(min(Double(count), Double(count) * (part.upperBound - part.lowerBound) / whole + 1))
    }
}

/// What was found of a run.
struct SeriesFound {
    private let shown: ClosedRange<Double>
    private(set) var places: [M4.Place] = []
    /// The nearest places outside of what is shown.
    private var before: M4.Place?
    private var after: M4.Place?
    /// About how many points the range holds.
    var total = 0

    init(shown: ClosedRange<Double>) {
        self.shown = shown
    }

    func shows(_ extent: ClosedRange<Double>) -> Bool { extent.overlaps(shown) }

    mutating func append(_ place: M4.Place) {
        if place.x < shown.lowerBound {
            if before.map({ $0.x <= place.x }) ?? true { before = place }
        } else if place.x > shown.upperBound {
            if after.map({ $0.x > place.x }) ?? true { after = place }
        } else if places.last != place {
            places.append(place)
        }
    }

    /// In order, at the resolution of the chart.
    func reduced(width: Double) -> SeriesFound {
        var result = self
        for index in places.indices.dropFirst() where places[index].x < places[index - 1].x {
            result.places.sort { $0.x < $1.x }
            break
        }
        result.places = M4.reduced(result.places, start: shown.lowerBound, width: width)
        if let before { result.places.insert(before, at: 0) }
        if let after { result.places.append(after) }
        return result
    }
}
