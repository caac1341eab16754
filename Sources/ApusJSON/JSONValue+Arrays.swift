/// Arrays of one type are read from the tape straight into memory.
extension JSONValue {
    /// Why an array does not hold what it should.
    package enum ArrayFault: Error, Sendable, Equatable {
        /// It is no array, and more than one element is needed.
        case notAnArray
        /// Its nesting is neither flat nor that of the shape.
        case ragged
        /// It has more or fewer elements than the shape takes.
        case count
        /// The element at that place, counted from 0 in row-major order, is not of the type; with its JSON.
        case element(Int, String)
    }

    /// No array of this value has more elements than that; what is allocated for them is bounded by what was sent.
    package var maximumElementCount: Int { max(1, end - index) }

    /// Copies the numbers of an array, which is flat or nested like `shape`, in row-major order.
    ///
    /// A single number will do for a shape without dimensions.
    ///
    /// The target has room for as many elements as the shape takes, and their alignment. None of the shape's dimensions is
    /// negative.
    package func copyNumbers(
        to target: UnsafeMutableRawBufferPointer,
        as layout: JSONNumberLayout,
        shape: [Int]
    ) throws(ArrayFault) {
        switch layout {
        case .bool: try copy(JSONTruth.self, to: target, shape)
        case .int8: try copy(Int8.self, to: target, shape)
        case .int16: try copy(Int16.self, to: target, shape)
        case .int32: try copy(Int32.self, to: target, shape)
        case .int64: try copy(Int64.self, to: target, shape)
        case .uint8: try copy(UInt8.self, to: target, shape)
        case .uint16: try copy(UInt16.self, to: target, shape)
        case .uint32: try copy(UInt32.self, to: target, shape)
        case .uint64: try copy(UInt64.self, to: target, shape)
        case .float16: try copy(Float16.self, to: target, shape)
        case .float: try copy(Float.self, to: target, shape)
        case .double: try copy(Double.self, to: target, shape)
        case .bfloat16: try copy(JSONBrainFloat.self, to: target, shape)
        }
    }

    private func copy<Element: JSONElement>(
        _: Element.Type,
        to target: UnsafeMutableRawBufferPointer,
        _ shape: [Int]
    ) throws(ArrayFault) {
        let elements = target.bindMemory(to: Element.self)
        try forEachRun(shape, count: elements.count) { start, end, first throws(ArrayFault) in
            let tape = document.tape
            var index = start
            var place = first
            while index < end {
                let word = tape[index]
                let tag = UInt8(truncatingIfNeeded: word >> 56)
                guard place < elements.count else { throw .count }
                let isNumber = tag == TapeTag.double || tag == TapeTag.signed || tag == TapeTag.unsigned
                guard let element = Element(tag: tag, bits: isNumber ? tape[index + 1] : 0) else {
                    throw fault(at: index, place: place)
                }
                elements[place] = element
                place += 1
                index += isNumber ? 2 : 1
            }
            return place
        }
    }

    /// Calls `body` with the unescaped UTF-8 of each text of an array, which is flat or nested like `shape`.
    package func forEachText(
        shape: [Int],
        count: Int,
        _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws(ArrayFault) {
        try forEachRun(shape, count: count) { start, end, first throws(ArrayFault) in
            var place = first
            for index in start..<end {
                guard place < count else { throw .count }
                guard let bytes = JSONValue(document: document, index: index).bytes else {
                    throw fault(at: index, place: place)
                }
                body(bytes)
                place += 1
            }
            return place
        }
    }

    /// Finds the innermost arrays: calls `body` with the part of the tape that their elements take and the number of
    /// the first, and takes the number of the next.
    private func forEachRun(
        _ shape: [Int],
        count: Int,
        _ body: (_ start: Int, _ end: Int, _ first: Int) throws(ArrayFault) -> Int
    ) throws(ArrayFault) {
        var found = 0
        if tag != TapeTag.array {
            guard shape.isEmpty else { throw .notAnArray }
            found = try body(index, end, 0)
        } else if UInt8(truncatingIfNeeded: document.tape[index + 1] >> 56) != TapeTag.array {
            found = try body(index + 1, end - 1, 0)
        } else {
            try nested(shape[...], next: &found, body)
        }
        guard found == count else { throw .count }
    }

    private func nested(
        _ shape: ArraySlice<Int>,
        next: inout Int,
        _ body: (_ start: Int, _ end: Int, _ first: Int) throws(ArrayFault) -> Int
    ) throws(ArrayFault) {
        guard tag == TapeTag.array, let length = shape.first else { throw .ragged }
        if shape.count == 1 {
            let first = next
            next = try body(index + 1, end - 1, first)
            guard next - first == length else { throw .ragged }
            return
        }
        var children = 0
        var child = JSONValue(document: document, index: index + 1)
        let last = end - 1
        while child.index < last {
            try child.nested(shape.dropFirst(), next: &next, body)
            children += 1
            child = JSONValue(document: document, index: child.end)
        }
        guard children == length else { throw .ragged }
    }

    private func fault(at index: Int, place: Int) -> ArrayFault {
        let value = JSONValue(document: document, index: index)
        return switch value.kind {
        case .array: .ragged
        case .null: .element(place, "null")
        case .bool: .element(place, value.bool == true ? "true" : "false")
        case .integer: .element(place, "\(value.integer ?? 0)")
        case .unsigned: .element(place, "\(value.unsigned ?? 0)")
        case .double: .element(place, "\(value.double ?? 0)")
        case .string: .element(place, "a string")
        case .object: .element(place, "an object")
        }
    }
}
