import NIOCore

extension Tensor {
    /// The tensor, if it is none of truth values with bytes that are neither 0 nor 1.
    ///
    /// - Throws: ``ServingError`` `invalid`.
    func checkingTruths() throws -> Tensor {
        guard datatype == .bool, !bytes.readableBytesView.allSatisfy({ $0 <= 1 }) else { return self }
        throw ServingError.invalid("Tensor '\(name)' has a byte that is neither 0 nor 1, which is no BOOL.")
    }
}
