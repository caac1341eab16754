package import NIOCore

/// An array of one type and shape, in row-major order.
///
/// The bytes are those of the Open Inference Protocol's binary form, so that a tensor travels from a request's body
/// to an engine, and back, without being converted: little-endian elements one after the other; for ``TensorDatatype/bytes``
/// each element is its length as a 32-bit little-endian number, then its bytes. Once made, shape and bytes agree.
package struct Tensor: Sendable, Equatable {
    /// More dimensions than that are refused.
    package static let maximumRank = 8

    package let name: String
    package let datatype: TensorDatatype
    /// The length of each dimension, none of them negative.
    package let shape: [Int]
    package let bytes: ByteBuffer
    /// The product of the dimensions.
    package let elementCount: Int

    /// - Throws: ``ServingError`` `invalid` when shape and bytes do not agree.
    package init(name: String, datatype: TensorDatatype, shape: [Int], bytes: ByteBuffer) throws {
        let count = try Self.elementCount(of: shape, name: name)
        if let elementBytes = datatype.elementBytes {
            let (wanted, isTooLarge) = count.multipliedReportingOverflow(by: elementBytes)
            guard !isTooLarge, wanted == bytes.readableBytes else {
                throw ServingError.invalid(
                    "Tensor '\(name)' has \(bytes.readableBytes) bytes, but shape \(shape) of \(datatype.rawValue) "
                        + "takes \(isTooLarge ? "more than can be addressed" : "\(wanted)")."
                )
            }
        } else {
            let found = Self.countTexts(bytes, upTo: count)
            guard found == count else {
                throw ServingError.invalid(
                    found == nil
                        ? "Tensor '\(name)' has a text that reaches past the end of its data, or too many of them."
                        : "Tensor '\(name)' has \(found ?? 0) elements, but shape \(shape) takes \(count)."
                )
            }
        }
        self.init(trusted: name, datatype, shape, bytes, elementCount: count)
    }

    /// A tensor whose bytes were made for its shape.
    init(trusted name: String, _ datatype: TensorDatatype, _ shape: [Int], _ bytes: ByteBuffer, elementCount: Int) {
        self.name = name
        self.datatype = datatype
        self.shape = shape
        self.bytes = bytes
        self.elementCount = elementCount
    }

    /// The product of dimensions.
    ///
    /// - Throws: ``ServingError`` `invalid` for a negative dimension, too many of them, or more elements than memory
    ///   has bytes.
    package static func elementCount(of shape: [Int], name: String) throws -> Int {
        guard shape.count <= maximumRank else {
            throw ServingError.invalid("Tensor '\(name)' has more than \(maximumRank) dimensions.")
        }
        var count = 1
        for dimension in shape {
            guard dimension >= 0 else {
                throw ServingError.invalid("Tensor '\(name)' has a negative dimension: \(shape).")
            }
            let (product, isTooLarge) = count.multipliedReportingOverflow(by: dimension)
            guard !isTooLarge, product <= 1 << 40 else {
                throw ServingError.invalid("Tensor '\(name)' has too many elements: \(shape).")
            }
            count = product
        }
        return count
    }

    /// The same values under another name.
    package func named(_ name: String) -> Tensor {
        Tensor(trusted: name, datatype, shape, bytes, elementCount: elementCount)
    }

    /// The same values with dimensions of the same product.
    ///
    /// - Throws: ``ServingError`` `invalid` when the product differs.
    package func reshaped(to shape: [Int]) throws -> Tensor {
        guard try Self.elementCount(of: shape, name: name) == elementCount else {
            throw ServingError.invalid("Tensor '\(name)' of shape \(self.shape) cannot take shape \(shape).")
        }
        return Tensor(trusted: name, datatype, shape, bytes, elementCount: elementCount)
    }

    /// How many texts there are; nil when one reaches past the end, or there are more than `limit`.
    private static func countTexts(_ bytes: ByteBuffer, upTo limit: Int) -> Int? {
        bytes.withUnsafeReadableBytes { bytes in
            var offset = 0
            var count = 0
            while offset < bytes.count {
                guard count < limit, bytes.count - offset >= 4 else { return nil }
                let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                guard bytes.count - offset - 4 >= length else { return nil }
                offset += 4 + length
                count += 1
            }
            return count
        }
    }
}

// MARK: - Values

extension Tensor {
    /// The elements of a type of fixed size, read as `Element`, whose size must be the datatype's.
    package func elements<Element: BitwiseCopyable>(as type: Element.Type) -> [Element] {
        guard datatype.elementBytes == MemoryLayout<Element>.size else { return [] }
        return bytes.withUnsafeReadableBytes { bytes in
            [Element](unsafeUninitializedCapacity: elementCount) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                count = elementCount
            }
        }
    }

    /// Calls `body` with the bytes of each text, in order; only for ``TensorDatatype/bytes``.
    package func forEachText(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        guard datatype == .bytes else { return }
        try bytes.withUnsafeReadableBytes { bytes in
            var offset = 0
            while bytes.count - offset >= 4 {
                let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                let end = min(offset + 4 + length, bytes.count)
                try body(UnsafeRawBufferPointer(rebasing: bytes[(offset + 4)..<end]))
                offset = end
            }
        }
    }

    /// The elements of ``TensorDatatype/bytes`` as texts; what is no UTF-8 is replaced.
    // Inlined into a function that throws, the optimiser of Swift 6.3.1 fails on it.
    @inline(never)
    package var texts: [String] {
        var texts: [String] = []
        texts.reserveCapacity(elementCount)
        forEachText { texts.append(String(decoding: $0, as: UTF8.self)) }
        return texts
    }

    /// A tensor of numbers; the shape defaults to one dimension.
    ///
    /// - Throws: ``ServingError`` `invalid` when the count does not fit the shape.
    package init<Element: BitwiseCopyable>(
        name: String,
        _ datatype: TensorDatatype,
        shape: [Int]? = nil,
        elements: [Element]
    ) throws {
        var bytes = ByteBuffer()
        elements.withUnsafeBytes { _ = bytes.writeBytes($0) }
        try self.init(name: name, datatype: datatype, shape: shape ?? [elements.count], bytes: bytes)
    }

    /// A tensor of texts; the shape defaults to one dimension.
    ///
    /// - Throws: ``ServingError`` `invalid` when the count does not fit the shape.
    package init(name: String, shape: [Int]? = nil, texts: [String]) throws {
        var bytes = ByteBuffer()
        for text in texts { bytes.writeText(text.utf8) }
        try self.init(name: name, datatype: .bytes, shape: shape ?? [texts.count], bytes: bytes)
    }
}

extension ByteBuffer {
    /// Appends one element of a ``TensorDatatype/bytes`` tensor.
    package mutating func writeText(_ bytes: some Collection<UInt8>) {
        writeInteger(UInt32(clamping: bytes.count), endianness: .little)
        writeBytes(bytes)
    }
}
