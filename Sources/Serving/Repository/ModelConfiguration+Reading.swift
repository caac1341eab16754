extension ModelConfiguration {
    private static let fields: Set<String> = [
        "name", "platform", "backend", "runtime", "version_policy", "max_batch_size", "input", "output", "batch_input",
        "batch_output", "optimization", "dynamic_batching", "sequence_batching", "ensemble_scheduling",
        "instance_group", "default_model_filename", "cc_model_filenames", "metric_tags", "parameters", "model_warmup",
        "model_operations", "model_transaction_policy", "model_repository_agents", "response_cache", "model_metrics",
    ]
    /// What changes answers, so that it must not be passed over in silence.
    private static let unsupported = [
        "sequence_batching", "ensemble_scheduling", "batch_input", "batch_output", "model_repository_agents",
    ]
    private static let backends: [String: String] = [
        "onnxruntime": "onnxruntime", "onnxruntime_onnx": "onnxruntime", "mlflow": "mlflow",
    ]
    private static let listLimit = 1_000

    /// Reads a `config.pbtxt`.
    ///
    /// - Throws: ``ServingError`` `invalid` with line and column.
    package init(text bytes: [UInt8]) throws {
        do {
            try self.init(ProtobufTextReader.message(bytes))
        } catch let error as ConfigurationError {
            throw ServingError.invalid("config.pbtxt, \(error)")
        }
    }

    /// Reads the JSON of the same message.
    ///
    /// - Throws: ``ServingError`` `invalid`.
    package init(json text: String) throws {
        do {
            try self.init(ConfigurationMessage(json: text))
        } catch let error as ConfigurationError {
            throw ServingError.invalid("The model's configuration: \(error).")
        }
    }

    private init(_ message: ConfigurationMessage) throws {
        try message.allow(Self.fields, in: "a model's configuration")
        for name in Self.unsupported {
            if let field = message.all(name).first {
                throw ConfigurationError(field.place, "'\(name)' is not supported")
            }
        }
        if try message.message("model_transaction_policy")?.bool("decoupled") ?? false {
            throw ConfigurationError(message.place, "decoupled models are not supported")
        }
        name = try message.text("name").flatMap { $0.isEmpty ? nil : $0 }
        backend = try Self.backend(message)
        filename = try message.text("default_model_filename").flatMap { $0.isEmpty ? nil : $0 }
        if let filename, filename.contains("/") || filename.hasPrefix(".") {
            throw ConfigurationError(message.place, "'default_model_filename' must be the name of a file")
        }
        maximumBatchSize = try message.integer("max_batch_size", in: 0...1_000_000)
        inputs = try message.messages("input").map { try Self.port($0, "input") }
        outputs = try message.messages("output").map { try Self.port($0, "output") }
        if let policy = try message.message("version_policy") { versions = try Self.policy(policy) }
        if let batching = try message.message("dynamic_batching") { dynamicBatching = try Self.batching(batching) }
        (instances, device) = try Self.groups(try message.messages("instance_group"))
        for (key, value) in try message.entries("parameters") { parameters[key] = try value.text("string_value") ?? "" }
        let warmups = try message.messages("model_warmup")
        guard warmups.count <= Self.listLimit, inputs.count <= Self.listLimit, outputs.count <= Self.listLimit else {
            throw ConfigurationError(message.place, "there are too many entries")
        }
        self.warmups = try warmups.map(Self.warmup)
    }

    private static func backend(_ message: ConfigurationMessage) throws -> String? {
        for name in ["backend", "platform"] {
            guard let field = message.all(name).last, let value = try message.text(name), !value.isEmpty else {
                continue
            }
            guard let known = backends[value] else {
                throw ConfigurationError(
                    field.place,
                    "\(name) '\(value)' is not supported; there are onnxruntime, and mlflow for anything in Python"
                )
            }
            return known
        }
        return nil
    }

    private static func port(_ message: ConfigurationMessage, _ what: String) throws -> Port {
        try message.allow(
            [
                "name", "data_type", "format", "dims", "reshape", "is_shape_tensor", "allow_ragged_batch", "optional",
                "is_non_linear_format_io", "label_filename",
            ],
            in: "an \(what)"
        )
        guard let name = try message.text("name"), !name.isEmpty else {
            throw ConfigurationError(message.place, "an \(what) lacks its name")
        }
        if let field = message.all("reshape").first {
            throw ConfigurationError(field.place, "'reshape' is not supported")
        }
        return Port(
            name: name,
            datatype: try datatype(message),
            dimensions: try message.integers("dims", in: -1...(1 << 40)),
            isOptional: try message.bool("optional") ?? false
        )
    }

    private static func datatype(_ message: ConfigurationMessage) throws -> TensorDatatype? {
        guard let field = message.all("data_type").last, let word = try message.word("data_type") else { return nil }
        if word == "TYPE_INVALID" { return nil }
        if word == "TYPE_STRING" { return .bytes }
        guard word.hasPrefix("TYPE_"), let type = TensorDatatype(rawValue: String(word.dropFirst("TYPE_".count))),
            type != .bytes
        else { throw ConfigurationError(field.place, "there is no data_type '\(word)'") }
        return type
    }

    private static func policy(_ message: ConfigurationMessage) throws -> VersionPolicy {
        try message.allow(["latest", "all", "specific"], in: "'version_policy'")
        guard let field = message.fields.last else { return .latest(1) }
        guard case .message(let choice) = field.node else {
            throw ConfigurationError(field.place, "'\(field.name)' must be a message in braces")
        }
        switch field.name {
        case "latest": return .latest(try choice.integer("num_versions", in: 1...100_000) ?? 1)
        case "all": return .all
        default: return .specific(try choice.integers("versions", in: 1...Int.max).map(Int64.init))
        }
    }

    private static func batching(_ message: ConfigurationMessage) throws -> DynamicBatching {
        try message.allow(
            [
                "preferred_batch_size", "max_queue_delay_microseconds", "preserve_ordering", "priority_levels",
                "default_priority_level", "default_queue_policy", "priority_queue_policy",
            ],
            in: "'dynamic_batching'"
        )
        var batching = DynamicBatching()
        batching.preferredSizes = try message.integers("preferred_batch_size", in: 1...1_000_000)
        if let delay = try message.integer("max_queue_delay_microseconds", in: 0...60_000_000) {
            batching.maximumDelay = .microseconds(delay)
        }
        if let queue = try message.message("default_queue_policy") {
            try queue.allow(
                ["timeout_action", "default_timeout_microseconds", "allow_timeout_override", "max_queue_size"],
                in: "'default_queue_policy'"
            )
            let size = try queue.integer("max_queue_size", in: 0...10_000_000) ?? 0
            batching.queueLimit = size > 0 ? size : nil
        }
        return batching
    }

    /// How many instances, and on which GPU.
    private static func groups(_ groups: [ConfigurationMessage]) throws -> (Int?, Int?) {
        guard !groups.isEmpty else { return (nil, nil) }
        var count = 0
        var device: Int?
        for group in groups {
            try group.allow(
                [
                    "name", "kind", "count", "gpus", "secondary_devices", "profile", "passive", "host_policy",
                    "rate_limiter",
                ],
                in: "'instance_group'"
            )
            let gpus = try group.integers("gpus", in: 0...1_023)
            let kind = try group.word("kind") ?? "KIND_AUTO"
            guard ["KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"].contains(kind) else {
                throw ConfigurationError(group.place, "there is no kind '\(kind)' of instances")
            }
            if kind == "KIND_GPU" { device = device ?? gpus.first ?? 0 }
            count += try group.integer("count", in: 1...1_024) ?? 1
        }
        return (min(count, 1_024), device)
    }

    private static func warmup(_ message: ConfigurationMessage) throws -> Warmup {
        try message.allow(["name", "batch_size", "inputs", "count"], in: "'model_warmup'")
        let inputs = try message.entries("inputs").prefix(listLimit).map { name, input in
            try input.allow(
                ["data_type", "dims", "zero_data", "random_data", "input_data_file"],
                in: "the input of a warm-up"
            )
            if let field = input.all("input_data_file").first {
                throw ConfigurationError(field.place, "'input_data_file' is not supported; there is random_data")
            }
            guard let type = try datatype(input) else {
                throw ConfigurationError(input.place, "the warm-up's input '\(name)' lacks its data_type")
            }
            return Warmup.Input(
                name: name,
                datatype: type,
                dimensions: try input.integers("dims", in: 0...(1 << 24)),
                values: try input.bool("random_data") ?? false ? .random : .zero
            )
        }
        return Warmup(
            name: try message.text("name") ?? "",
            batchSize: try message.integer("batch_size", in: 0...1_000_000) ?? 0,
            count: min(max(1, try message.integer("count", in: 0...1_000) ?? 1), 1_000),
            inputs: inputs
        )
    }
}
