import ApusKernel
package import NIOCore

/// A `ModelInferRequest` as it came in.
package struct InferenceCall {
    /// Empty when the caller names none.
    package var modelName = ""
    /// Nil for the version that the directory prefers.
    package var modelVersion: String?
    /// What the model is given.
    package var request = InferenceRequest()
    /// From now, as the caller's `timeout` says.
    package var timeout: Duration?
    /// How many of the best classes are wanted of an output instead of its numbers.
    package var classesByName: [String: Int] = [:]
}

extension InferenceCall {
    private struct Input {
        var name = ""
        var datatype = ""
        var shape: [Int] = []
        /// Where its contents are in the message; several pieces are one behind the other.
        var contents: [Range<Int>] = []
    }

    /// Reads a message; the tensors share its memory where they can.
    ///
    /// - Throws: ``GRPCError`` and ``ServingError`` that say what is wrong with it.
    package init(_ message: ByteBuffer) throws {
        do {
            self = try message.withUnsafeReadableBytes { try Self(message, $0) }
        } catch is ProtobufReader.Malformed {
            throw GRPCError(.invalidArgument, "The message cannot be read as inference.ModelInferRequest.")
        }
    }

    /// No request has more inputs or outputs than that.
    private static let maximumTensors = 1_024
    /// A day: more is never waited, and the clock cannot overflow.
    private static let longestTimeout: Int64 = 86_400_000_000

    /// The caller's name for a request that cannot be read wholly; empty for none.
    package static func id(of message: ByteBuffer) -> String {
        let id = message.withUnsafeReadableBytes { bytes in
            var reader = ProtobufReader(bytes, 0..<bytes.count)
            while let (number, wire) = try? reader.nextField() {
                if number == 3 { return try? reader.string(wire) }
                guard (try? reader.skip(wire)) != nil else { break }
            }
            return nil
        }
        return id ?? ""
    }

    private init(_ message: ByteBuffer, _ bytes: UnsafeRawBufferPointer) throws {
        self.init()
        var inputs: [Input] = []
        var raw: [Range<Int>] = []
        var reader = ProtobufReader(bytes, 0..<bytes.count)
        while let (number, wire) = try reader.nextField() {
            switch number {
            case 1: modelName = try reader.string(wire)
            case 2:
                let version = try reader.string(wire)
                modelVersion = version.isEmpty ? nil : version
            case 3: request.id = try reader.string(wire)
            case 4: try read(InferenceParameter(reader.message(wire)))
            case 5: inputs.append(try Self.input(reader.message(wire)))
            case 6: try readOutput(reader.message(wire))
            case 7: raw.append(try reader.range(wire))
            default: try reader.skip(wire)
            }
            guard max(inputs.count, raw.count, request.outputs.count) <= Self.maximumTensors else {
                throw ServingError.invalid("There are more than \(Self.maximumTensors) inputs or outputs.")
            }
        }
        guard !raw.isEmpty else {
            request.inputs = try inputs.map { input in
                try TypedContents(bytes, input.contents).tensor(
                    name: input.name,
                    datatype: Self.datatype(input),
                    shape: input.shape
                )
            }
            return
        }
        guard raw.count == inputs.count else {
            throw ServingError.invalid(
                "There are \(raw.count) raw_input_contents and \(inputs.count) inputs; raw contents must be there for "
                    + "every input, or for none."
            )
        }
        request.inputs.reserveCapacity(inputs.count)
        for (input, range) in zip(inputs, raw) {
            guard input.contents.allSatisfy(\.isEmpty) else {
                throw ServingError.invalid("Input '\(input.name)' has contents, and there are raw_input_contents too.")
            }
            let slice = message.getSlice(at: message.readerIndex + range.lowerBound, length: range.count)
            request.inputs.append(
                try Tensor(
                    name: input.name,
                    datatype: Self.datatype(input),
                    shape: input.shape,
                    bytes: slice ?? ByteBuffer()
                ).checkingTruths()
            )
        }
    }

    private static func datatype(_ input: Input) throws -> TensorDatatype {
        guard let datatype = TensorDatatype(rawValue: input.datatype) else {
            throw ServingError.invalid("Input '\(input.name)' has an unknown datatype: '\(input.datatype)'.")
        }
        return datatype
    }

    private static func input(_ message: ProtobufReader) throws -> Input {
        var reader = message
        var input = Input()
        var region: String?
        while let (number, wire) = try reader.nextField() {
            switch number {
            case 1: input.name = try reader.string(wire)
            case 2: input.datatype = try reader.string(wire)
            case 3: try reader.varints(wire) { try Self.append($0, to: &input.shape) }
            case 4:
                let parameter = try InferenceParameter(reader.message(wire))
                if parameter.key.hasPrefix("shared_memory_") { region = parameter.key }
            case 5: input.contents.append(try reader.range(wire))
            default: try reader.skip(wire)
            }
        }
        if region != nil {
            throw ServingError(
                .notImplemented,
                "Input '\(input.name)' is in shared memory, which this server does not use."
            )
        }
        return input
    }

    private static func append(_ dimension: UInt64, to shape: inout [Int]) throws {
        // So many are refused anyway, and would only take memory.
        guard shape.count < 64 else { throw ServingError.invalid("A tensor has too many dimensions.") }
        shape.append(Int(Int64(bitPattern: dimension)))
    }

    private mutating func readOutput(_ message: ProtobufReader) throws {
        var reader = message
        var name = ""
        var classes = 0
        var isShared = false
        while let (number, wire) = try reader.nextField() {
            switch number {
            case 1: name = try reader.string(wire)
            case 2:
                let parameter = try InferenceParameter(reader.message(wire))
                if parameter.key.hasPrefix("shared_memory_") { isShared = true }
                guard parameter.key == "classification" else { continue }
                guard case .integer(let count) = parameter.value, count >= 0, let exact = Int(exactly: count) else {
                    throw ServingError.invalid("'classification' of output '\(name)' must be a number of classes.")
                }
                classes = exact
            default: try reader.skip(wire)
            }
        }
        guard !isShared else {
            throw ServingError(
                .notImplemented,
                "Output '\(name)' is wanted in shared memory, which this server does not use."
            )
        }
        guard !request.outputs.contains(name) else {
            throw ServingError.invalid("Output '\(name)' is asked for twice.")
        }
        request.outputs.append(name)
        if classes > 0 { classesByName[name] = classes }
    }

    /// Takes what the protocol reserves to itself; the rest is the model's.
    private mutating func read(_ parameter: InferenceParameter) throws {
        switch parameter.key {
        case "timeout":
            guard case .integer(let microseconds) = parameter.value, microseconds >= 0 else {
                throw ServingError.invalid("The parameter 'timeout' is a number of microseconds.")
            }
            timeout = microseconds == 0 ? nil : .microseconds(min(microseconds, Self.longestTimeout))
        // Every answer is the last one to its request and says so: an empty one besides would say nothing.
        case "triton_enable_empty_final_response": break
        case "sequence_id", "sequence_start", "sequence_end", "priority", "headers", "binary_data_output": break
        default:
            if parameter.key.hasPrefix("triton_") {
                throw ServingError.invalid("The parameter '\(parameter.key)' is reserved.")
            }
            request.parameters[parameter.key] = parameter.value
        }
    }
}
