/// Estimates how many different values there are.
///
/// Each of 2^p registers keeps the longest run of zeros in the hashes that fall to it. As long as few values differ,
/// the hashes themselves are kept with a precision of 26 bits, and the estimate is exact but for rare collisions; the
/// registers take their place when they need less memory. Which of the two it is depends on the set of values only, so
/// sketches of parts that are merged equal the sketch of the whole to the bit.
///
/// Values are added by their hash (``SketchHash``). NaN is not a value.
///
/// - SeeAlso: P. Flajolet, É. Fusy, O. Gandouet, F. Meunier, "HyperLogLog", 2007; S. Heule, M. Nunkesser, A. Hall,
///   "HyperLogLog in Practice", 2013, for the sparse form; ``estimate``.
package struct HyperLogLog: Sketch {
    package static let kind: UInt8 = 1
    package static let version: UInt8 = 1
    /// The precisions there are.
    package static let precisions = 12...16

    /// The binary logarithm of the number of registers.
    package private(set) var precision: Int
    /// The values while they are few; unused once there are registers.
    private(set) var sparse = SparseRegisters()
    /// The registers, or nothing while the values are few.
    private(set) var registers: [UInt8] = []

    /// An empty sketch.
    ///
    /// - Parameter precision: 12 to 16; the nearest of them is taken. 14 needs 16 KiB and errs by 0.8 %.
    package init(precision: Int = 14) {
        self.precision = min(Self.precisions.upperBound, max(Self.precisions.lowerBound, precision))
    }

    /// A sketch of what was read.
    init(precision: Int, sparse: SparseRegisters, registers: [UInt8]) {
        self.precision = precision
        self.sparse = sparse
        self.registers = registers
    }

    /// Whether there are registers.
    package var isDense: Bool { !registers.isEmpty }

    /// The standard error of ``estimate`` as a part of it, √(3 ln 2 − 1)/√m; for few values the error is far less.
    package var relativeError: Double { 1.038_961_5 / Double(1 << precision).squareRoot() }

    /// Adds a value by its hash.
    package mutating func add(hash: UInt64) {
        if registers.isEmpty {
            addSparse(hash)
        } else {
            registers.withUnsafeMutableBufferPointer { Self.set($0, precision, hash) }
        }
    }

    /// Adds a number; NaN is ignored.
    package mutating func add(_ value: Double) {
        if !value.isNaN { add(hash: SketchHash.hash(value)) }
    }

    /// Adds a text, or any other bytes.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) { add(hash: SketchHash.hash(bytes)) }

    /// Adds numbers; NaN is ignored.
    package mutating func add(contentsOf values: UnsafeBufferPointer<Double>) {
        add(values.count) { place, body in
            let value = values[place]
            if !value.isNaN { body(SketchHash.hash(bits: (value + 0).bitPattern)) }
        }
    }

    /// Adds integers.
    package mutating func add(contentsOf values: UnsafeBufferPointer<Int64>) {
        add(values.count) { place, body in body(SketchHash.hash(values[place])) }
    }

    /// Adds values by their hashes.
    package mutating func add(hashes: UnsafeBufferPointer<UInt64>) {
        add(hashes.count) { place, body in body(hashes[place]) }
    }

    /// Adds so many values; `visit` calls its argument with the hash of the value at a place, if there is one.
    @inline(__always)
    private mutating func add(_ count: Int, _ visit: (Int, (UInt64) -> Void) -> Void) {
        var place = 0
        while place < count, registers.isEmpty {
            place = sparse.insert(from: place, count, visit)
            if sparse.count > Self.sparseLimit(precision) { makeDense() }
        }
        guard place < count else { return }
        let precision = precision
        registers.withUnsafeMutableBufferPointer { registers in
            while place < count {
                visit(place) { Self.set(registers, precision, $0) }
                place &+= 1
            }
        }
    }

    /// The first bits name the register; it keeps one more than the zeros that follow.
    @inline(__always)
    private static func set(_ registers: UnsafeMutableBufferPointer<UInt8>, _ precision: Int, _ hash: UInt64) {
        let index = Int(truncatingIfNeeded: hash &>> UInt64(64 &- precision))
        let rest = hash &<< UInt64(precision) | 1 &<< UInt64(precision &- 1)
        let rank = UInt8(truncatingIfNeeded: rest.leadingZeroBitCount &+ 1)
        if rank > registers[index] { registers[index] = rank }
    }

    /// How many values are kept one by one: the table takes at most half of what the registers would.
    static func sparseLimit(_ precision: Int) -> Int { 1 << (precision - 4) - 1 }

    private mutating func addSparse(_ hash: UInt64) {
        sparse.insert(SparseRegisters.entry(hash))
        if sparse.count > Self.sparseLimit(precision) { makeDense() }
    }

    private mutating func makeDense() {
        registers = [UInt8](repeating: 0, count: 1 << precision)
        for entry in sparse.entries { raise(SparseRegisters.precision, Int(entry >> 6), UInt8(entry & 63)) }
        sparse = SparseRegisters()
    }

    /// Takes over a register of a sketch that has at least this precision.
    private mutating func raise(_ from: Int, _ index: Int, _ rank: UInt8) {
        let bits = from - precision
        let low = index & (1 << bits - 1)
        // The bits that named the register there are the first of the rest here.
        let here = low == 0 ? rank + UInt8(bits) : UInt8(bits - (Int.bitWidth - low.leadingZeroBitCount) + 1)
        let place = index >> bits
        if here > registers[place] { registers[place] = here }
    }

    private mutating func reduce(to precision: Int) {
        guard precision < self.precision else { return }
        let old = registers
        let from = self.precision
        self.precision = precision
        if old.isEmpty {
            if sparse.count > Self.sparseLimit(precision) { makeDense() }
            return
        }
        registers = [UInt8](repeating: 0, count: 1 << precision)
        for (index, rank) in old.enumerated() where rank > 0 { raise(from, index, rank) }
    }

    /// Adds what another sketch has seen; the result has the lower of the two precisions.
    package mutating func merge(_ other: HyperLogLog) {
        reduce(to: other.precision)
        if other.isDense {
            if !isDense { makeDense() }
            for (index, rank) in other.registers.enumerated() where rank > 0 { raise(other.precision, index, rank) }
        } else if isDense {
            for entry in other.sparse.entries { raise(SparseRegisters.precision, Int(entry >> 6), UInt8(entry & 63)) }
        } else {
            for entry in other.sparse.entries { sparse.insert(entry) }
            if sparse.count > Self.sparseLimit(precision) { makeDense() }
        }
    }

    /// Whether both have seen values with the same hashes, as far as they can tell.
    package static func == (left: HyperLogLog, right: HyperLogLog) -> Bool {
        left.precision == right.precision && left.registers == right.registers
            && left.sparse.sorted == right.sparse.sorted
    }
}
