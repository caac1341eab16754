import ApusKernel
import Serving
import Testing

@Suite struct ModelConfigurationTests {
    private static let text = """
        name: "resnet"
        platform: "onnxruntime_onnx"
        max_batch_size: 16
        input [ { name: "x" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 3, 224, 224 ] } ]
        output [ { name: "labels" data_type: TYPE_STRING dims: [ 5 ] label_filename: "labels.txt" } ]
        instance_group [ { count: 2 kind: KIND_CPU }, { kind: KIND_CPU } ]
        dynamic_batching {
          preferred_batch_size: [ 4, 8 ]
          max_queue_delay_microseconds: 250
          default_queue_policy { max_queue_size: 64 }
        }
        version_policy { specific { versions: [ 1, 3 ] } }
        parameters { key: "intra_op_thread_count" value { string_value: "2" } }
        parameters { key: "enable_mem_arena" value { string_value: "0" } }
        model_warmup [ { name: "zeros" batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: [3, 224, 224]
          zero_data: true } } } ]
        """

    private static let json = """
        {"name": "resnet", "platform": "onnxruntime_onnx", "maxBatchSize": 16,
         "input": [{"name": "x", "data_type": "TYPE_FP32", "format": "FORMAT_NCHW", "dims": ["3", 224, 224]}],
         "output": [{"name": "labels", "data_type": "TYPE_STRING", "dims": [5], "label_filename": "labels.txt"}],
         "instance_group": [{"count": 2, "kind": "KIND_CPU"}, {"kind": "KIND_CPU"}],
         "dynamic_batching": {"preferred_batch_size": [4, 8], "max_queue_delay_microseconds": "250",
            "default_queue_policy": {"max_queue_size": 64}},
         "version_policy": {"specific": {"versions": [1, 3]}},
         "parameters": {"intra_op_thread_count": {"string_value": "2"}, "enable_mem_arena": {"string_value": "0"}},
         "model_warmup": [{"name": "zeros", "batch_size": 1,
            "inputs": {"x": {"data_type": "TYPE_FP32", "dims": [3, 224, 224], "zero_data": true}}}]}
        """

    @Test func `the text and the JSON of one configuration are the same`() throws {
        let configuration = try ModelConfiguration(text: Array(Self.text.utf8))
        #expect(try ModelConfiguration(json: Self.json) == configuration)
        #expect(configuration.name == "resnet")
        #expect(configuration.backend == "onnxruntime")
        #expect(configuration.maximumBatchSize == 16)
        #expect(configuration.inputs.first?.dimensions == [3, 224, 224])
        #expect(configuration.outputs.first?.datatype == .bytes)
        #expect(configuration.versions == .specific([1, 3]))
        #expect(configuration.instances == 3)
        #expect(configuration.warmups.first?.inputs.first?.values == .zero)
        let options = try configuration.loading(.init())
        #expect(options.instances == 3)
        #expect(options.maximumBatchSize == 16)
        #expect(options.onnx.intraOpThreads == 2)
        #expect(!options.onnx.keepsMemory)
        #expect(
            options.batching == BatchingPolicy(maximumBatchSize: 8, maximumDelay: .microseconds(250), queueLimit: 64)
        )
    }

    @Test func `requests are put together only where that is configured, or nothing is`() throws {
        func batching(_ text: String) throws -> BatchingPolicy {
            try ModelConfiguration(text: Array(text.utf8)).loading(.init()).policy(512)
        }
        #expect(try batching("").maximumBatchSize == 512)
        #expect(try batching("max_batch_size: 8").maximumBatchSize == 0)
        #expect(try batching("max_batch_size: 8 dynamic_batching { }").maximumBatchSize == 8)
        #expect(try batching("max_batch_size: 8 dynamic_batching { }").maximumDelay == .zero)
        #expect(try batching("max_batch_size: 0").maximumBatchSize == 0)
        #expect(try batching("dynamic_batching { max_queue_delay_microseconds: 100 }").maximumBatchSize == 512)
    }

    @Test(arguments: [
        ("max_batchsize: 8", "max_batchsize"), ("max_batch_size: -1", "from 0"),
        ("max_batch_size: \"x\"", "whole number"),
        ("backend: \"tensorrt\"", "tensorrt"), ("ensemble_scheduling { }", "not supported"),
        ("input { name: \"x\" reshape { shape: 1 } }", "reshape"), ("input { dims: 1 }", "lacks its name"),
        ("input { name: \"x\" data_type: TYPE_FLOAT }", "TYPE_FLOAT"), ("version_policy { newest { } }", "newest"),
        ("default_model_filename: \"../x.onnx\"", "name of a file"),
        ("max_batch_size: 99999999999999999999", "whole number"),
        ("instance_group { kind: KIND_TPU }", "KIND_TPU"),
        ("parameters { value { string_value: \"x\" } }", "lacks a key"),
        ("model_transaction_policy { decoupled: true }", "decoupled"),
    ])
    func `what cannot be followed is refused by name`(_ text: String, _ word: String) throws {
        let error = #expect(throws: ServingError.self) { try ModelConfiguration(text: Array(text.utf8)) }
        #expect(error?.code == .invalidParameterValue)
        #expect(error?.message.contains(word) ?? false, "\(error?.message ?? "")")
    }

    @Test func `a configuration that differs from its model is refused`() throws {
        let metadata = ModelMetadata(
            platform: "onnxruntime_onnx",
            inputs: [.init(name: "x", datatype: .fp32, shape: [-1, 4])],
            outputs: [.init(name: "y", datatype: .int64, shape: [-1])],
            maximumBatchSize: 512
        )
        func check(_ text: String) throws {
            try ModelConfiguration(text: Array(text.utf8)).check(against: metadata)
        }
        #expect(throws: Never.self) {
            try check("max_batch_size: 8 input { name: \"x\" data_type: TYPE_FP32 dims: [4] }")
            try check("input { name: \"x\" dims: [-1, 4] } output { name: \"y\" dims: [-1] }")
            try check("max_batch_size: 8 output { name: \"y\" data_type: TYPE_INT64 dims: [] }")
        }
        for text in [
            "input { name: \"z\" }", "input { name: \"x\" data_type: TYPE_FP64 }", "input { name: \"x\" dims: [4] }",
            "max_batch_size: 8 input { name: \"x\" dims: [5] }", "output { name: \"y\" data_type: TYPE_INT32 }",
        ] {
            #expect(throws: ServingError.self, "\(text)") { try check(text) }
        }
    }

    @Test func `version policies choose of what is there`() {
        let present: [Int64] = [1, 2, 10, 3]
        #expect(VersionPolicy.latest(1).choose(from: present) == [10])
        #expect(VersionPolicy.latest(2).choose(from: present) == [10, 3])
        #expect(VersionPolicy.latest(9).choose(from: present) == [1, 2, 3, 10])
        #expect(VersionPolicy.all.choose(from: present) == [1, 2, 3, 10])
        #expect(VersionPolicy.specific([2, 7]).choose(from: present) == [2])
        #expect(VersionPolicy.latest(1).choose(from: []).isEmpty)
    }

    @Test func `versions to be served are read`() throws {
        func policy(_ text: String) throws -> VersionPolicy { try ModelConfiguration(text: Array(text.utf8)).versions }
        #expect(try policy("") == .latest(1))
        #expect(try policy("version_policy: { latest: { num_versions: 3 } }") == .latest(3))
        #expect(try policy("version_policy: { latest { } }") == .latest(1))
        #expect(try policy("version_policy { all { } }") == .all)
    }
}
