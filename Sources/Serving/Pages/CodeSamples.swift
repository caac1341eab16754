import ApusConsole
import ApusJSON

/// Code that asks an endpoint, in the words of each client.
struct CodeSamples {
    struct Sample {
        let title: String
        let language: String
        let text: String
    }

    let name: String
    let metadata: ModelMetadata
    /// Such as `http://127.0.0.1:5000/ml`.
    let address: String
    /// Where gRPC listens, such as `127.0.0.1:8001`; nil when it does not.
    let grpc: String?

    /// More values or inputs make no example.
    static let valueLimit = 64
    static let inputLimit = 24

    var samples: [Sample] {
        var samples: [Sample] = []
        let inputs = metadata.inputs.filter { !$0.isOptional }
        let isSmall =
            !inputs.isEmpty && inputs.count <= Self.inputLimit
            && inputs.allSatisfy { Self.shape($0).reduce(1, *) <= Self.valueLimit }
        if isSmall {
            samples.append(
                Sample(
                    title: "curl, Open Inference Protocol",
                    language: "bash",
                    text: curl("v2/models/\(name)/infer", v2(inputs))
                )
            )
        }
        samples.append(
            Sample(title: "curl, MLflow", language: "bash", text: curl("endpoints/\(name)/invocations", mlflow(inputs)))
        )
        samples.append(Sample(title: "Python, mlflow.deployments", language: "python", text: deployments(inputs)))
        samples.append(Sample(title: "Python, requests", language: "python", text: requests(inputs)))
        if isSmall {
            samples.append(
                Sample(title: "Python, tritonclient by HTTP", language: "python", text: triton(inputs, "http"))
            )
            samples.append(
                Sample(title: "Python, tritonclient by gRPC", language: "python", text: triton(inputs, "grpc"))
            )
        }
        samples.append(Sample(title: "Feedback on a prediction", language: "bash", text: feedback))
        return samples
    }

    var html: HTML {
        Element.div(.class("samples")) {
            for (index, sample) in samples.enumerated() {
                Element.details(index == 0 ? Attribute("open") : nil) {
                    Element.summary() { sample.title }
                    Component.code(sample.text, language: sample.language)
                }
            }
        }
    }

    // MARK: Requests

    /// The shape of one row.
    static func shape(_ port: ModelMetadata.Port) -> [Int] { port.shape.map { $0 < 0 ? 1 : $0 } }

    private static func literal(_ text: String) -> String {
        var json = JSONWriter()
        json.string(text)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func value(_ datatype: TensorDatatype) -> String {
        switch datatype {
        case .bool: "true"
        case .bytes: "\"text\""
        case .fp16, .bf16, .fp32, .fp64: "0.5"
        default: "1"
        }
    }

    /// Example values in lists, as deep as the shape.
    static func values(_ datatype: TensorDatatype, _ shape: ArraySlice<Int>) -> String {
        guard let count = shape.first else { return value(datatype) }
        let inner = values(datatype, shape.dropFirst())
        return "[\([String](repeating: inner, count: max(0, min(count, valueLimit))).joined(separator: ", "))]"
    }

    private func v2(_ inputs: [ModelMetadata.Port]) -> String {
        let parts = inputs.map { input in
            let shape = Self.shape(input)
            return "    {\"name\": \(Self.literal(input.name)), \"shape\": \(shape), \"datatype\": "
                + "\"\(input.datatype.rawValue)\", \"data\": \(Self.values(input.datatype, shape[...]))}"
        }
        return "{\n  \"inputs\": [\n\(parts.joined(separator: ",\n"))\n  ]\n}"
    }

    private func mlflow(_ inputs: [ModelMetadata.Port]) -> String {
        guard !inputs.isEmpty, inputs.count <= Self.inputLimit else { return "{\"inputs\": [\u{2026}]}" }
        if metadata.isTable {
            let names = inputs.map { Self.literal($0.name) }.joined(separator: ", ")
            let values = inputs.map { Self.value($0.datatype) }.joined(separator: ", ")
            return "{\"dataframe_split\": {\"columns\": [\(names)], \"data\": [[\(values)]]}}"
        }
        guard inputs.allSatisfy({ Self.shape($0).reduce(1, *) <= Self.valueLimit }) else {
            return "{\"inputs\": [\u{2026}]}"
        }
        let parts = inputs.map { ($0.name, Self.values($0.datatype, Self.shape($0)[...])) }
        if parts.count == 1, let only = parts.first, !TryForm.isNamed(metadata) { return "{\"inputs\": \(only.1)}" }
        return "{\"inputs\": {\(parts.map { "\(Self.literal($0.0)): \($0.1)" }.joined(separator: ", "))}}"
    }

    private func curl(_ path: String, _ body: String) -> String {
        // A quote inside of single quotes ends them, is written, and begins them again.
        let quoted = body.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        return "curl \(address)/\(path) \\\n  -H 'Content-Type: application/json' \\\n  -d '\(quoted)'"
    }

    private var feedback: String {
        curl(
            "api/v1/endpoints/\(name)/feedback",
            "{\"prediction_id\": \"<X-Apus-Prediction-Id of the answer>\", \"reward\": 1, \"ground_truth\": \"red\"}"
        )
    }

    // MARK: Python

    /// JSON as Python writes it, for the one word of our examples that differs.
    private static func python(_ json: String) -> String {
        json.split(separator: "true", omittingEmptySubsequences: false).joined(separator: "True")
    }

    private func deployments(_ inputs: [ModelMetadata.Port]) -> String {
        """
        from mlflow.deployments import get_deploy_client

        client = get_deploy_client("\(address)")
        print(client.predict(endpoint=\(Self.literal(name)), inputs=\(Self.python(mlflow(inputs)))))
        """
    }

    private func requests(_ inputs: [ModelMetadata.Port]) -> String {
        """
        import requests

        body = \(Self.python(mlflow(inputs)))
        answer = requests.post("\(address)/endpoints/\(name)/invocations", json=body, timeout=60)
        answer.raise_for_status()
        print(answer.json(), answer.headers["X-Apus-Prediction-Id"])
        """
    }

    private func triton(_ inputs: [ModelMetadata.Port], _ kind: String) -> String {
        let host = kind == "http" ? String(address.drop { $0 != "/" }.drop { $0 == "/" }) : grpc ?? "127.0.0.1:8001"
        var lines = ["import numpy as np", "import tritonclient.\(kind) as triton", ""]
        lines.append("client = triton.InferenceServerClient(\"\(host)\")")
        lines.append("inputs = []")
        for input in inputs {
            let shape = Self.shape(input)
            let array =
                input.datatype == .bytes
                ? "np.array(\(Self.values(.bytes, shape[...])), dtype=np.object_)"
                : "np.array(\(Self.python(Self.values(input.datatype, shape[...]))), dtype=np.\(Self.numpy(input.datatype)))"
            lines.append(
                "inputs.append(triton.InferInput(\(Self.literal(input.name)), \(shape), \"\(input.datatype.rawValue)\"))"
            )
            lines.append("inputs[-1].set_data_from_numpy(\(array))")
        }
        lines.append("answer = client.infer(\(Self.literal(name)), inputs)")
        for output in metadata.outputs.prefix(4) {
            lines.append("print(answer.as_numpy(\(Self.literal(output.name))))")
        }
        if metadata.outputs.isEmpty { lines.append("print(answer.get_response())") }
        return lines.joined(separator: "\n")
    }

    private static func numpy(_ datatype: TensorDatatype) -> String {
        switch datatype {
        case .bool: "bool_"
        case .uint8: "uint8"
        case .uint16: "uint16"
        case .uint32: "uint32"
        case .uint64: "uint64"
        case .int8: "int8"
        case .int16: "int16"
        case .int32: "int32"
        case .int64: "int64"
        case .fp16: "float16"
        case .bf16, .fp32: "float32"
        case .fp64: "float64"
        case .bytes: "object_"
        }
    }
}
