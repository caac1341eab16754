import NIOCore
import Serving
import Testing

/// The forms of input, each against what MLflow 3.18 makes of it.
@Suite struct ScoringFormTests {
    private func read(_ text: String, _ metadata: ModelMetadata, _ type: ScoringMediaType = .json) throws
        -> InferenceRequest
    {
        try ScoringReader(metadata).read(ByteBuffer(string: text), type).request
    }

    private static let unsigned = ModelMetadata(platform: "mlflow", inputs: [], outputs: [], maximumBatchSize: 0)

    private func values(_ tensor: Tensor) -> [String] {
        switch tensor.datatype {
        case .fp64: tensor.elements(as: Double.self).map { "\($0)" }
        case .fp32: tensor.elements(as: Float.self).map { "\($0)" }
        case .int64: tensor.elements(as: Int64.self).map { "\($0)" }
        case .int32: tensor.elements(as: Int32.self).map { "\($0)" }
        case .uint64: tensor.elements(as: UInt64.self).map { "\($0)" }
        case .bool: tensor.elements(as: UInt8.self).map { $0 == 1 ? "true" : "false" }
        case .bytes: tensor.texts
        default: []
        }
    }

    @Test(
        arguments: [
            #"{"dataframe_split":{"columns":["a","b"],"data":[[1,"x"],[3.5,"y"]]}}"#,
            #"{"dataframe_split":{"columns":["b","z","a"],"index":[7,8],"data":[["x",0,1],["y",0,3.5]]}}"#,
            #"{"dataframe_split":{"columns":["a","b"],"data":[{"a":1,"b":"x"},{"b":"y","a":3.5}]}}"#,
            #"{"dataframe_records":[{"a":1,"b":"x"},{"b":"y","q":[1],"a":3.5}]}"#,
            #"{"instances":[{"a":1,"b":"x"},{"a":3.5,"b":"y"}]}"#,
            #"{"inputs":{"a":[1,3.5],"b":["x","y"]}}"#,
            #"{"inputs":{"b":["x","y"],"a":[1,3.5],"c":[[1]]}}"#,
            #"{"inputs":[{"a":1,"b":"x"},{"a":3.5,"b":"y"}]}"#,
            #"{"inputs":{"a":["1"," 3.5 "],"b":["x","y"]},"other":1}"#,
        ]
    )
    func `a table in any form becomes the signature's columns`(text: String) throws {
        let request = try read(text, .columns("double", "string"))
        #expect(request.form == .columns)
        #expect(request.document == nil)
        #expect(request.inputs.map(\.name) == ["a", "b"])
        #expect(request.inputs.map(\.shape) == [[2], [2]])
        #expect(values(request.inputs[0]) == ["1.0", "3.5"])
        #expect(values(request.inputs[1]) == ["x", "y"])
    }

    @Test func `without a signature columns have the types that pandas gives them`() throws {
        let request = try read(
            #"""
            {"dataframe_split":{"columns":["i","f","b","t","n","u"],
             "data":[[1,1,true,"x",2,18446744073709551615],[-2,0.5,false,"y",null,1]]}}
            """#,
            Self.unsigned
        )
        #expect(request.inputs.map(\.datatype) == [.int64, .fp64, .bool, .bytes, .fp64, .uint64])
        #expect(values(request.inputs[4]) == ["2.0", "nan"])
        #expect(values(request.inputs[5]) == ["18446744073709551615", "1"])
    }

    @Test(
        arguments: [
            #"{"dataframe_split":{"columns":["a"],"data":[[null]]}}"#,
            #"{"dataframe_split":{"columns":["a"],"data":[[[1]]]}}"#,
            #"{"dataframe_split":{"data":[[1]]}}"#, #"{"dataframe_records":[{"a":1},{"a":"x"}]}"#,
            #"{"dataframe_records":[{"a":1},{"a":true}]}"#, #"{"inputs":[[1.5,null]]}"#, #"{"inputs":[{"a":1}]}"#,
            #"{"instances":[{"a":{"b":1}}]}"#,
        ]
    )
    func `what no tensor holds goes to Python as it is, and to no other model`(text: String) throws {
        let request = try read(text, Self.unsigned)
        #expect(request.document?.bytes == ByteBuffer(string: text))
        #expect(request.document?.mediaType == "application/json")
        var onnx = Self.unsigned
        onnx.platform = "onnxruntime_onnx"
        if text.contains(#"{"data":"#) {
            #expect(try read(text, onnx).form == .columns)
        } else {
            #expect(throws: ServingError.self) { try read(text, onnx) }
        }
    }

    @Test(arguments: [
        (#"{"messages":[]}"#, true), (#"{"prompt":"x","inputs":[1]}"#, true), (#"{"input":["x"]}"#, true),
    ])
    func `conversations, prompts and embeddings are passed on whole`(text: String, isUnwrapped: Bool) throws {
        let question = try ScoringReader(Self.unsigned).read(ByteBuffer(string: text), .json)
        #expect(question.isUnwrapped == isUnwrapped)
        #expect(question.request.document?.bytes == ByteBuffer(string: text))
    }

    @Test func `arrays without a signature keep their shape`() throws {
        let request = try read(#"{"instances":[[[1,2],[3,4.5]],[[5,6],[7,8]]]}"#, Self.unsigned)
        #expect(request.form == .array)
        #expect(request.inputs[0].shape == [2, 2, 2])
        #expect(request.inputs[0].datatype == .fp64)
        #expect(try read(#"{"inputs":7}"#, Self.unsigned).inputs[0].shape == [])
        #expect(try read(#"{"inputs":[]}"#, Self.unsigned).inputs[0].shape == [0])
        let named = try read(#"{"instances":[{"x":[1,2],"y":3},{"x":[4,5],"y":6}]}"#, Self.unsigned)
        #expect(named.form == .tensors)
        #expect(named.inputs.map(\.shape) == [[2, 2], [2]])
        #expect(values(named.inputs[0]) == ["1", "2", "4", "5"])
    }

    private static let unnamedTensor = #"[{"type":"tensor","tensor-spec":{"dtype":"float32","shape":[-1,2]}}]"#
    private static let namedTensors = #"""
        [{"name":"x","type":"tensor","tensor-spec":{"dtype":"float32","shape":[-1,2]}},
         {"name":"y","type":"tensor","tensor-spec":{"dtype":"int64","shape":[-1]}}]
        """#

    @Test(
        arguments: [
            #"{"inputs":[[1,2],[3,4.5]]}"#, #"{"instances":[[1,2],[3,4.5]]}"#,
            #"{"dataframe_split":{"columns":["p","q"],"data":[[1,2],[3,4.5]]}}"#,
            #"{"dataframe_split":{"data":[[1,2],[3,4.5]]}}"#, #"{"dataframe_records":[{"p":1,"q":2},{"p":3,"q":4.5}]}"#,
            #"{"dataframe_split":{"columns":["p"],"data":[[[1,2]],[[3,4.5]]]}}"#,
        ]
    )
    func `an unnamed tensor is made of arrays and of tables`(text: String) throws {
        let request = try read(text, .signed(Self.unnamedTensor))
        #expect(request.form == .array)
        #expect(request.inputs[0].datatype == .fp32)
        #expect(request.inputs[0].shape == [2, 2])
        #expect(values(request.inputs[0]) == ["1.0", "2.0", "3.0", "4.5"])
    }

    @Test(
        arguments: [
            #"{"inputs":{"x":[[1,2],[3,4]],"y":[5,6],"z":0}}"#, #"{"instances":[{"x":[1,2],"y":5},{"y":6,"x":[3,4]}]}"#,
            #"{"dataframe_split":{"columns":["y","x"],"data":[[5,[1,2]],[6,[3,4]]]}}"#,
            #"{"dataframe_records":[{"x":[1,2],"y":5},{"x":[3,4],"y":6.0}]}"#,
        ]
    )
    func `named tensors are made of objects and of tables`(text: String) throws {
        let request = try read(text, .signed(Self.namedTensors))
        #expect(request.form == .tensors)
        #expect(request.inputs.map(\.name) == ["x", "y"])
        #expect(request.inputs.map(\.shape) == [[2, 2], [2]])
        #expect(values(request.inputs[0]) == ["1.0", "2.0", "3.0", "4.0"])
        #expect(values(request.inputs[1]) == ["5", "6"])
    }

    @Test func `an array that is the only input needs no name`() throws {
        let spec = #"[{"name":"x","type":"tensor","tensor-spec":{"dtype":"float64","shape":[-1,2]}}]"#
        #expect(try read(#"{"inputs":[[1,2]]}"#, .signed(spec)).inputs[0].name == "x")
        #expect(try values(read(#"{"instances":[1,2.5]}"#, .columns("double")).inputs[0]) == ["1.0", "2.5"])
    }

    @Test func `a signature without names counts the columns`() throws {
        let metadata = try ModelMetadata.signed(#"[{"type":"double"},{"type":"long"}]"#)
        for text in [
            #"{"dataframe_split":{"columns":["p","q","r"],"data":[[1,2,3]]}}"#, #"{"inputs":[[1,2]]}"#,
            #"{"dataframe_split":{"data":[[1,2.0]]}}"#,
        ] {
            let request = try read(text, metadata)
            #expect(request.inputs.map(\.datatype) == [.fp64, .int64])
            #expect(values(request.inputs[1]) == ["2"])
        }
        let error = #expect(throws: ServingError.self) { try read(#"{"inputs":[[1]]}"#, metadata) }
        #expect(error?.message.contains("declares 2 inputs but the provided value only has 1 inputs") ?? false)
    }

    @Test func `NaN and infinities are read as Python writes them, and null as NaN`() throws {
        let request = try read(
            #"{"dataframe_split":{"columns":["a","b"],"data":[[NaN,"NaN, \"Infinity"],[-Infinity,"x"],[Infinity,"y"],[null,"z"]]}}"#,
            .columns("double", "string")
        )
        #expect(values(request.inputs[0]) == ["nan", "-inf", "inf", "nan"])
        #expect(values(request.inputs[1]) == [#"NaN, "Infinity"#, "x", "y", "z"])
        let large = try read(#"{"inputs":{"a":[100000000000000000000,1.00000000000000000000001]}}"#, .columns("double"))
        #expect(values(large.inputs[0]) == ["1e+20", "1.0"])
    }

    @Test func `CSV is read as pandas reads it`() throws {
        let request = try read(
            "\u{FEFF}b,a,c\r\n1,2.5,\"x,\"\"y\"\"\nz\"\r\n\r\n 3 ,NA,007\r\n",
            .columns("double", "long", "string"),
            .csv
        )
        #expect(request.inputs.map(\.name) == ["a", "b", "c"])
        #expect(values(request.inputs[0]) == ["2.5", "nan"])
        #expect(values(request.inputs[1]) == ["1", "3"])
        #expect(values(request.inputs[2]) == ["x,\"y\"\nz", "007"])
        let inferred = try read("i,f,b,t,n\n1,1e3,True,0x1,\n-2,inf,false,y,4\n", Self.unsigned, .csv)
        #expect(inferred.inputs.map(\.datatype) == [.int64, .fp64, .bool, .bytes, .fp64])
        #expect(values(inferred.inputs[1]) == ["1000.0", "inf"])
        #expect(try read("a,a\n1,2", Self.unsigned, .csv).inputs.map(\.name) == ["a", "a.1"])
    }
}
