import ApusKernel
import Testing
import Tracking

/// Reading `MLmodel` files, which clients write.
@Suite struct ModelFileTests {
    private static let written = """
        artifact_path: model
        flavors:
          python_function:
            env:
              conda: conda.yaml
              virtualenv: python_env.yaml
            loader_module: mlflow.sklearn
          sklearn:
            code: null
            sklearn_version: 1.9.1
        mlflow_version: 3.18.0
        model_id: null
        signature:
          inputs: '[{"type": "double", "name": "a", "required": true}, {"type": "string",
            "name": "b", "required": false}]'
          outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1, 2]}}]'
          params: '[{"name": "temp", "default": 0.5, "shape": null, "type": "double"}, {"name":
            "stops", "default": ["a"], "shape": [-1], "type": "string"}]'
        utc_time_created: '2026-11-25 13:45:07.382682'

        """

    @Test func `a file of MLflow's is read`() throws {
        let file = try ModelFile(Self.written)
        #expect(file.flavors.map(\.name) == ["python_function", "sklearn"])
        #expect(file.flavors.first?.facts.first?.value == "conda: conda.yaml, virtualenv: python_env.yaml")
        #expect(file.flavors.last?.facts.map(\.name) == ["sklearn_version"])
        #expect(file.isPythonFunction)
        #expect(file.facts.map(\.name) == ["artifact_path", "mlflow_version", "utc_time_created"])
        let signature = try #require(file.signature)
        #expect(signature.inputs.map(\.name) == ["a", "b"])
        #expect(signature.inputs.map(\.isRequired) == [true, false])
        #expect(signature.outputs.map(\.type) == ["tensor(int64, [-1, 2])"])
        #expect(signature.params.map(\.type) == ["double", "array(string)"])
        #expect(signature.params.map(\.preset) == ["0.5", "[\"a\"]"])
    }

    @Test(arguments: [
        (
            #"[{"type":"array","items":{"type":"object","properties":{"x":{"type":"string","required":false}}}}]"#,
            "array({x?: string})"
        ),
        (#"[{"type":"map","values":{"type":"long"}}]"#, "map(long)"), (#"[{}]"#, "any"),
        (#"[{"type":7,"name":[]}]"#, "any"),
    ])
    func `types are told in words`(_ json: String, _ type: String) {
        #expect(ModelSignature(inputs: json, outputs: nil, params: nil).inputs.map(\.type) == [type])
    }

    @Test func `what is no signature is none`() {
        for text in ["", "{", "{}", "7", String(repeating: "[", count: 10_000)] {
            #expect(ModelSignature(inputs: text, outputs: text, params: text).isEmpty)
        }
        let wide = "[" + (0..<6_000).map { #"{"name":"\#($0)"}"# }.joined(separator: ",") + "]"
        let signature = ModelSignature(inputs: wide, outputs: nil, params: nil)
        #expect(signature.inputs.count == ModelSignature.fieldLimit && signature.omitted == 1_000)
    }

    private static let refused = [
        "", "a", "- a", "flavors: 1", "flavors: [", "\0", "flavors: &a {x: *a}",
        "a: &x [1]\nflavors: {y: *x}", "flavors: !!python/object:os.system {x: &y 1}",
        "flavors:\u{2028}&a {}", String(repeating: "[", count: 100_000),
        String(repeating: "- ", count: 100_000), String(repeating: "? ", count: 100_000),
        (0..<2_000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n"),
        "x\u{2028}" + String(repeating: "- ", count: 10_000), "flavors: {}\n" + String(repeating: "x", count: 1 << 20),
    ]

    // By their places: the texts are too long to be printed.
    @Test(arguments: refused.indices)
    func `what describes no model is refused`(_ place: Int) {
        #expect(throws: RequestError.self) { try ModelFile(Self.refused[place]) }
    }

    @Test func `tags make nothing`() throws {
        let file = try ModelFile("flavors: {f: {a: !!python/object/apply:os.system [x], b: !!int 0x1F}}")
        #expect(file.flavors.first?.facts.map(\.value) == ["x", "0x1F"])
    }
}
