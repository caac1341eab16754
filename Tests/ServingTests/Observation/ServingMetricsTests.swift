import NIOCore
import Serving
import Testing

@Suite struct ServingMetricsTests {
    private static func model(_ name: String) throws -> ServedModel {
        try ServedModel(name: name, version: "2", engine: EchoEngine(), instances: 1)
    }

    private static func request(_ rows: Int) throws -> InferenceRequest {
        InferenceRequest(inputs: [
            try Tensor(name: "x", .fp32, shape: [rows, 1], elements: [Float](repeating: 1, count: rows))
        ])
    }

    private static func samples(_ text: String) -> [String: String] {
        var samples: [String: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let end = line.lastIndex(of: " ") ?? line.startIndex
            samples[String(line[..<end])] = String(line[end...].dropFirst())
        }
        return samples
    }

    @Test func countsAreThoseOfTheModels() async throws {
        let model = try Self.model("iris")
        let directory = EchoModels(all: [model, EchoModel("not measured")])
        for rows in [1, 3, 100] { _ = try await model.infer(try Self.request(rows)) }
        await #expect(throws: ServingError.self) { try await model.infer(InferenceRequest()) }
        model.serialised(3_000_000, version: "2")
        var text = ""
        ServingMetrics(directory: directory).write(to: &text)
        let samples = Self.samples(text)
        let labels = #"model="iris",version="2""#
        #expect(samples["apus_inference_requests_total{\(labels)}"] == "3")
        #expect(samples[#"apus_inference_failures_total{\#(labels),reason="other"}"#] == "1")
        #expect(samples["apus_inference_rows_total{\(labels)}"] == "104")
        #expect(samples["apus_inference_executions_total{\(labels)}"] == "3")
        #expect(samples["apus_inference_duration_seconds_count{\(labels)}"] == "3")
        #expect(samples[#"apus_inference_duration_seconds_bucket{\#(labels),le="+Inf"}"#] == "3")
        #expect(
            samples[#"apus_inference_stage_duration_seconds_bucket{\#(labels),stage="serialise",le="0.0025"}"#] == "0"
        )
        #expect(
            samples[#"apus_inference_stage_duration_seconds_bucket{\#(labels),stage="serialise",le="0.005"}"#] == "1"
        )
        #expect(samples[#"apus_inference_batch_rows_bucket{\#(labels),le="1"}"#] == "1")
        #expect(samples[#"apus_inference_batch_rows_bucket{\#(labels),le="4"}"#] == "2")
        #expect(samples[#"apus_inference_batch_rows_bucket{\#(labels),le="128"}"#] == "3")
        #expect(samples["apus_inference_workers{\(labels)}"] == "1")
        #expect(samples["apus_inference_queue_length{\(labels)}"] == "0")
        #expect(!text.contains("not measured") && !text.contains("nv_") && !text.contains("model_infer"))
        await model.close()
    }

    @Test func otherServersNamesAreASwitch() async throws {
        let model = try Self.model("we\"ird\\\n")
        _ = try await model.infer(try Self.request(2))
        var text = ""
        ServingMetrics(directory: EchoModels(all: [model]), dialects: [.triton, .mlserver]).write(to: &text)
        let samples = Self.samples(text)
        let labels = #"model="we\"ird\\\n",version="2""#
        #expect(samples["nv_inference_request_success{\(labels)}"] == "1")
        #expect(samples["nv_inference_count{\(labels)}"] == "2")
        #expect(samples["nv_inference_exec_count{\(labels)}"] == "1")
        #expect(samples[#"nv_inference_request_failure{\#(labels),reason="REJECTED"}"#] == "0")
        #expect(samples["nv_inference_pending_request_count{\(labels)}"] == "0")
        #expect(samples["model_infer_request_success_total{\(labels)}"] == "1")
        #expect(samples["model_infer_request_duration_count{\(labels)}"] == "1")
        await model.close()
    }

    @Test func everyFamilyIsDeclaredOnce() throws {
        var text = ""
        ServingMetrics(directory: EchoModels(all: []), dialects: Set(ServingMetrics.Dialect.allCases)).write(to: &text)
        let names = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(names.count == Set(names).count && names.count > 20)
    }
}

/// Answers with its input.
private final class EchoEngine: InferenceEngine {
    let runsInPlace = true
    let metadata = ModelMetadata(
        platform: "test",
        inputs: [.init(name: "x", datatype: .fp32, shape: [-1, 1])],
        outputs: [],
        maximumBatchSize: 128
    )

    func makeInstance() throws -> any EngineInstance { Instance() }

    private final class Instance: EngineInstance {
        func run(_ batch: EngineBatch) throws -> EngineResult { EngineResult(outputs: batch.inputs) }
        func close() {}
    }
}
