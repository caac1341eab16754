extension HyperLogLog {
    /// Precision, form, and then either the sparse entries as differences, or registers of six bits.
    package func write(to writer: inout SketchWriter) {
        writer.byte(UInt8(precision))
        writer.byte(isDense ? 1 : 0)
        guard isDense else {
            writer.count(sparse.count)
            var before: UInt32 = 0
            for entry in sparse.sorted {
                writer.number(UInt64(entry - before))
                before = entry
            }
            return
        }
        for start in stride(from: 0, to: registers.count, by: 4) {
            let four = (0..<4).reduce(UInt32(0)) { $0 | UInt32(registers[start + $1]) << UInt32(6 * $1) }
            for shift: UInt32 in [0, 8, 16] { writer.byte(UInt8(truncatingIfNeeded: four >> shift)) }
        }
    }

    package init(reading reader: inout SketchReader) throws(SketchError) {
        let precision = Int(try reader.byte())
        guard Self.precisions.contains(precision) else { throw .damaged("precision") }
        switch try reader.byte() {
        case 0:
            let sparse = try Self.sparse(&reader, limit: Self.sparseLimit(precision))
            self.init(precision: precision, sparse: sparse, registers: [])
        case 1:
            let registers = try Self.registers(&reader, precision: precision)
            self.init(precision: precision, sparse: SparseRegisters(), registers: registers)
        default:
            throw .damaged("form")
        }
    }

    private static func sparse(_ reader: inout SketchReader, limit: Int) throws(SketchError) -> SparseRegisters {
        var sparse = SparseRegisters()
        var entry: UInt64 = 0
        for place in 0..<(try reader.count("sparse count", limit: limit)) {
            let before = entry >> 6
            let (sum, overflow) = entry.addingReportingOverflow(try reader.number())
            entry = sum
            guard !overflow, entry <= UInt32.max, 1...39 ~= entry & 63, place == 0 || entry >> 6 > before else {
                throw .damaged("sparse entry")
            }
            sparse.insert(UInt32(entry))
        }
        return sparse
    }

    private static func registers(_ reader: inout SketchReader, precision: Int) throws(SketchError) -> [UInt8] {
        let packed = try reader.raw((1 << precision) / 4 * 3)
        var registers: [UInt8] = []
        registers.reserveCapacity(1 << precision)
        var four: UInt32 = 0
        for (place, byte) in packed.enumerated() {
            four |= UInt32(byte) << UInt32(place % 3 * 8)
            guard place % 3 == 2 else { continue }
            for shift: UInt32 in [0, 6, 12, 18] { registers.append(UInt8(four >> shift & 63)) }
            four = 0
        }
        guard registers.allSatisfy({ $0 <= 65 - precision }) else { throw .damaged("register") }
        // Values are kept one by one until there are more than the registers could tell apart in less memory.
        guard registers.contains(where: { $0 > 0 }) else { throw .damaged("registers") }
        return registers
    }
}
