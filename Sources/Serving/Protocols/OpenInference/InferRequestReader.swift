import ApusJSON
import ApusKernel
package import NIOCore

/// Reads the body of an inference request of the Open Inference Protocol: JSON, then the bytes of binary tensors.
///
/// - SeeAlso: `inference_rest.md` in the protocol, and "Binary Tensor Data Extension" in Triton's documentation.
package struct InferRequestReader {
    /// What was read.
    package struct Call: Sendable {
        /// What the model is given.
        package var request = InferenceRequest()
        /// How the answer is to be written.
        package var outputs = RequestedOutputs()
    }

    /// Reads any model's requests.
    package init() {}

    /// No request has more inputs or outputs than that.
    private static let maximumTensors = 1024
    /// The parameters that are about how to answer, or about what this server does not keep; the model sees the others.
    private static let reserved: Set<String> = [
        "timeout", "priority", "binary_data_output", "sequence_id", "sequence_start", "sequence_end", "headers",
        "allow_nan",
    ]

    /// The value of `Inference-Header-Content-Length`: how many bytes are JSON; nil for all of them.
    ///
    /// - Throws: ``ServingError`` `invalid` when it is no length.
    static func headerLength(_ text: String?) throws -> Int? {
        guard let text else { return nil }
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let length = Int(text)
        else {
            throw ServingError.invalid(
                "Inference-Header-Content-Length must be a number of bytes, not '\(text.prefix(100))'."
            )
        }
        return length
    }

    /// Reads a body whose first `headerLength` bytes are JSON.
    ///
    /// - Throws: ``ServingError`` `invalid`, which names what is wrong.
    package func read(_ body: ByteBuffer, headerLength: Int?) throws -> Call {
        let length = headerLength ?? body.readableBytes
        guard let json = body.getSlice(at: body.readerIndex, length: length) else {
            throw ServingError.invalid(
                "Inference-Header-Content-Length is \(length), and the body has only \(body.readableBytes) bytes."
            )
        }
        var binary = body
        binary.moveReaderIndex(forwardBy: length)
        let call = try json.withUnsafeReadableBytes { bytes in
            let document: JSONDocument
            do {
                document = try JSONDocument(parsing: bytes)
            } catch {
                throw ServingError.invalid("The request is no JSON: \(error).")
            }
            return try read(document.root, &binary)
        }
        guard binary.readableBytes == 0 else {
            throw ServingError.invalid("\(binary.readableBytes) bytes are left over behind the binary tensors.")
        }
        return call
    }

    private func read(_ root: JSONValue, _ binary: inout ByteBuffer) throws -> Call {
        guard let members = root.members else { throw ServingError.invalid("The request is no JSON object.") }
        var call = Call()
        var inputs: JSONValue?
        var outputs: JSONValue?
        for member in members {
            if member.isNamed("inputs") {
                inputs = member.value
            } else if member.isNamed("outputs") {
                outputs = member.value
            } else if member.isNamed("parameters") {
                try read(parameters: member.value, &call)
            } else if member.isNamed("id"), !member.value.isNull {
                guard let id = member.value.string else { throw ServingError.invalid("'id' must be a string.") }
                call.request.id = id
            }
        }
        guard let inputs = inputs?.elements else { throw ServingError.invalid("'inputs' must be an array.") }
        for input in inputs {
            guard call.request.inputs.count < Self.maximumTensors else {
                throw ServingError.invalid("There are more than \(Self.maximumTensors) inputs.")
            }
            call.request.inputs.append(try tensor(input, call.request.inputs.count, &binary))
        }
        if let outputs, !outputs.isNull { try read(outputs: outputs, &call) }
        return call
    }

    // MARK: Parameters

    private func read(parameters: JSONValue, _ call: inout Call) throws {
        guard !parameters.isNull else { return }
        guard let members = parameters.members else { throw ServingError.invalid("'parameters' must be an object.") }
        for member in members {
            let value = member.value
            if member.isNamed("binary_data_output") {
                call.outputs.isBinary = try truth(value, "binary_data_output")
            } else if member.isNamed("allow_nan") {
                call.outputs.allowsTokens = try truth(value, "allow_nan")
            } else if member.isNamed("routing_key") {
                // The model does not see it: it would keep requests from sharing a run.
                guard let key = value.string else { throw ServingError.invalid("'routing_key' must be a string.") }
                call.request.routingKey = key
            } else if member.isNamed("timeout") {
                guard let microseconds = value.integer, microseconds >= 0 else {
                    throw ServingError.invalid("'timeout' must be a number of microseconds.")
                }
                call.request.deadline =
                    microseconds == 0 ? nil : .now + .microseconds(min(microseconds, Self.longestTimeout))
            } else if !Self.reserved.contains(member.name), !value.isNull {
                call.request.parameters[member.name] = ParameterValue(value)
            }
        }
    }

    /// A day: more is never waited, and the clock cannot overflow.
    private static let longestTimeout: Int64 = 86_400_000_000

    private func truth(_ value: JSONValue, _ name: String) throws -> Bool {
        guard let truth = value.bool else { throw ServingError.invalid("'\(name)' must be true or false.") }
        return truth
    }

    // MARK: Inputs

    private func tensor(_ input: JSONValue, _ index: Int, _ binary: inout ByteBuffer) throws -> Tensor {
        guard let members = input.members else { throw ServingError.invalid("inputs[\(index)] is no object.") }
        var name: String?
        var datatype: JSONValue?
        var shape: JSONValue?
        var data: JSONValue?
        var parameters: JSONValue?
        for member in members {
            if member.isNamed("name") {
                name = member.value.string
            } else if member.isNamed("datatype") {
                datatype = member.value
            } else if member.isNamed("shape") {
                shape = member.value
            } else if member.isNamed("data") {
                data = member.value
            } else if member.isNamed("parameters") {
                parameters = member.value
            }
        }
        guard let name else { throw ServingError.invalid("inputs[\(index)] has no 'name', or it is no string.") }
        guard let type = datatype?.string, let datatype = TensorDatatype(rawValue: type) else {
            throw ServingError.invalid(
                "The 'datatype' of input '\(name)' must be one of "
                    + TensorDatatype.allCases.map(\.rawValue).joined(separator: ", ") + "."
            )
        }
        let dimensions = try dimensions(shape, name)
        if let size = try binarySize(parameters, name) {
            guard data == nil else {
                throw ServingError.invalid("Input '\(name)' has both 'data' and 'binary_data_size'.")
            }
            guard let bytes = binary.readSlice(length: size) else {
                throw ServingError.invalid(
                    "Input '\(name)' has a 'binary_data_size' of \(size), and only \(binary.readableBytes) bytes are left."
                )
            }
            return try Tensor(name: name, datatype: datatype, shape: dimensions, bytes: bytes).checkingTruths()
        }
        guard let data else { throw ServingError.invalid("Input '\(name)' has no 'data'.") }
        return try Tensor(name: name, datatype: datatype, shape: dimensions, json: data)
    }

    private func dimensions(_ shape: JSONValue?, _ name: String) throws -> [Int] {
        guard let elements = shape?.elements else {
            throw ServingError.invalid("The 'shape' of input '\(name)' must be an array.")
        }
        var dimensions: [Int] = []
        for element in elements {
            guard element.kind == .integer, let number = element.integer, number >= 0,
                let dimension = Int(exactly: number)
            else {
                throw ServingError.invalid(
                    "The 'shape' of input '\(name)' must have whole numbers that are not negative."
                )
            }
            guard dimensions.count < Tensor.maximumRank else {
                throw ServingError.invalid("Input '\(name)' has more than \(Tensor.maximumRank) dimensions.")
            }
            dimensions.append(dimension)
        }
        return dimensions
    }

    /// How many of the bytes behind the JSON are the input's; nil when it has its data in the JSON.
    private func binarySize(_ parameters: JSONValue?, _ name: String) throws -> Int? {
        guard let parameters, !parameters.isNull else { return nil }
        guard let members = parameters.members else {
            throw ServingError.invalid("The 'parameters' of input '\(name)' must be an object.")
        }
        var size: Int?
        for member in members {
            if member.isNamed("binary_data_size") {
                guard member.value.kind == .integer, let number = member.value.integer, number >= 0,
                    let exact = Int(exactly: number)
                else {
                    throw ServingError.invalid("The 'binary_data_size' of input '\(name)' must be a number of bytes.")
                }
                size = exact
            } else if member.isNamed("shared_memory_region") {
                throw ServingError(
                    .notImplemented,
                    "Input '\(name)' is in shared memory, which this server does not use."
                )
            }
        }
        return size
    }

    // MARK: Outputs

    private func read(outputs: JSONValue, _ call: inout Call) throws {
        guard let elements = outputs.elements else { throw ServingError.invalid("'outputs' must be an array.") }
        for (index, output) in elements.enumerated() {
            guard let name = output["name"]?.string else {
                throw ServingError.invalid("outputs[\(index)] has no 'name', or it is no string.")
            }
            guard index < Self.maximumTensors, !call.request.outputs.contains(name) else {
                throw ServingError.invalid("Output '\(name)' is asked for twice, or there are too many outputs.")
            }
            call.request.outputs.append(name)
            guard let parameters = output["parameters"], !parameters.isNull else { continue }
            guard let members = parameters.members else {
                throw ServingError.invalid("The 'parameters' of output '\(name)' must be an object.")
            }
            for member in members {
                if member.isNamed("binary_data") {
                    call.outputs.isBinaryByName[name] = try truth(member.value, "binary_data")
                } else if member.isNamed("classification") {
                    guard let count = member.value.integer, count >= 0, let exact = Int(exactly: count) else {
                        throw ServingError.invalid("'classification' of output '\(name)' must be a number of classes.")
                    }
                    call.outputs.classesByName[name] = exact
                } else if member.isNamed("shared_memory_region") {
                    throw ServingError(
                        .notImplemented,
                        "Output '\(name)' is wanted in shared memory, which this server does not use."
                    )
                }
            }
        }
    }
}
