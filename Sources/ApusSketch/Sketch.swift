/// A summary of many values in little memory, that can be merged and stored.
///
/// A profile keeps some of these for each column, and reads the column once:
///
/// - ``Moments``: counts, sum, mean, spread and shape. Exact up to rounding.
/// - ``HyperLogLog``: how many different values there are, within 1 % or so.
/// - ``QuantileSketch``: quantiles, ranks and histograms, within a rank of 1.3 %.
/// - ``FrequentItems``: the most frequent values with bounds of their counts.
/// - ``ReservoirSample``: some whole rows, each as likely as any other; ``CorrelationMatrix`` is made from them.
///
/// Fill them by chunks of a few hundred to a few thousand values, so that a chunk is still in the fastest cache when
/// the second and the third sketch read it; entry points that take a buffer neither allocate nor count references for
/// each value. Sketches of parts, files, shards or hours, are merged in any order; the result keeps the bounds that a
/// sketch of the whole would have. What is missing is not added: the caller counts it.
///
/// Sketches are values, and their bytes are the same for the same sequence of calls. The hash has no secret, since
/// stored sketches must fit together for ever: whoever chooses the values can make estimates wrong, but not memory
/// grow.
package protocol Sketch: Sendable, Equatable {
    /// What the bytes begin with, one number for each kind of sketch.
    static var kind: UInt8 { get }
    /// The version of the encoding that is written; a change of the layout or of the hash gets another one.
    static var version: UInt8 { get }

    /// Writes what ``init(reading:)`` reads.
    func write(to writer: inout SketchWriter)

    /// Reads what ``write(to:)`` wrote, from bytes that anybody may have made up.
    ///
    /// - Throws: ``SketchError``.
    init(reading reader: inout SketchReader) throws(SketchError)

    /// Adds all that the other one has seen.
    mutating func merge(_ other: Self)
}

extension Sketch {
    /// The sketch as bytes: `kA`, kind, version, content, and a checksum of four bytes.
    ///
    /// Numbers are little-endian; counts are of variable length.
    package var encoded: [UInt8] {
        var writer = SketchWriter(kind: Self.kind, version: Self.version)
        write(to: &writer)
        return writer.finished()
    }

    /// Reads a sketch, and trusts nothing: no memory is taken for what the bytes only announce.
    ///
    /// - Throws: ``SketchError`` for anything that ``encoded`` cannot have made.
    package init(decoding bytes: [UInt8]) throws(SketchError) {
        var reader = try SketchReader(bytes, kind: Self.kind, version: Self.version)
        self = try Self(reading: &reader)
        try reader.finish()
    }
}

/// The largest count of anything: counts stop here and never overflow.
let maximumCount = 1 << 60

/// The sum of two counts, which stops at ``maximumCount``.
func saturatingSum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? maximumCount : min(maximumCount, sum)
}
