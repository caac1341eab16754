import ApusJSON

/// A model's ports as TensorFlow Serving describes signatures.
///
/// - SeeAlso: `GetModelMetadataResponse` and `SignatureDefMap` of TensorFlow Serving.
enum SignatureDef {
    /// Writes the members of the answer to `/metadata`.
    static func write(_ servable: any Servable, to json: inout JSONWriter) {
        json.key("model_spec")
        json.object { json in
            json.key("name")
            json.string(servable.name)
            json.key("signature_name")
            json.string("")
            json.key("version")
            json.string(servable.version)
        }
        json.key("metadata")
        json.object { json in
            json.key("signature_def")
            json.object { json in
                json.key("signature_def")
                json.object { json in
                    json.key("serving_default")
                    json.object { json in
                        json.key("inputs")
                        write(servable.metadata.inputs, to: &json)
                        json.key("outputs")
                        write(servable.metadata.outputs, to: &json)
                        json.key("method_name")
                        json.string("tensorflow/serving/predict")
                    }
                }
            }
        }
    }

    private static func write(_ ports: [ModelMetadata.Port], to json: inout JSONWriter) {
        json.object { json in
            for port in ports {
                json.key(text: port.name)
                json.object { json in
                    json.key("dtype")
                    json.string(port.datatype.tensorFlowName)
                    json.key("tensor_shape")
                    json.object { json in
                        json.key("dim")
                        json.array(port.shape) { json, size in
                            json.object { json in
                                json.key("size")
                                json.string("\(size)")
                                json.key("name")
                                json.string("")
                            }
                        }
                        json.key("unknown_rank")
                        json.bool(false)
                    }
                    json.key("name")
                    json.string(port.name)
                }
            }
        }
    }
}

extension TensorDatatype {
    /// The name in TensorFlow's `types.proto`.
    fileprivate var tensorFlowName: String {
        switch self {
        case .bool: "DT_BOOL"
        case .uint8: "DT_UINT8"
        case .uint16: "DT_UINT16"
        case .uint32: "DT_UINT32"
        case .uint64: "DT_UINT64"
        case .int8: "DT_INT8"
        case .int16: "DT_INT16"
        case .int32: "DT_INT32"
        case .int64: "DT_INT64"
        case .fp16: "DT_HALF"
        case .bf16: "DT_BFLOAT16"
        case .fp32: "DT_FLOAT"
        case .fp64: "DT_DOUBLE"
        case .bytes: "DT_STRING"
        }
    }
}
