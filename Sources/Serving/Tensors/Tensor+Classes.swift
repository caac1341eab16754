extension Tensor {
    /// The best classes of each row, as `value:index`, if `counts` says how many of them are wanted of this tensor.
    ///
    /// - Throws: ``ServingError`` `invalid` for a tensor that has no rows of numbers.
    /// - SeeAlso: "Classification Extension" in Triton's documentation.
    func classified(by counts: [String: Int]) throws -> Tensor {
        guard let wanted = counts[name], wanted > 0 else { return self }
        guard datatype != .bytes, datatype != .bool, let classes = shape.last, classes > 0 else {
            throw ServingError.invalid("Output '\(name)' is no row of numbers, so that it has no best classes.")
        }
        let values = try doubles()
        var rows: [[(value: Double, index: Int)]] = []
        for start in stride(from: 0, to: values.count, by: classes) {
            let row = values[start..<(start + classes)].enumerated().map { (value: $1, index: $0) }
            rows.append(
                Array(
                    row.sorted { $0.value > $1.value || ($0.value == $1.value && $0.index < $1.index) }.prefix(wanted)
                )
            )
        }
        // A number is shown with the digits that its own type has.
        let isWide = datatype.elementBytes == 8
        let texts = rows.flatMap { row in
            row.map { "\(isWide ? $0.value.description : Float($0.value).description):\($0.index)" }
        }
        return try Tensor(name: name, shape: shape.dropLast() + [min(wanted, classes)], texts: texts)
    }

    /// The numbers in double precision.
    private func doubles() throws -> [Double] {
        switch datatype {
        case .fp16: elements(as: Float16.self).map { Double($0) }
        case .bf16: elements(as: UInt16.self).map { Double(Float(bitPattern: UInt32($0) << 16)) }
        default: try converted(to: .fp64).elements(as: Double.self)
        }
    }
}
