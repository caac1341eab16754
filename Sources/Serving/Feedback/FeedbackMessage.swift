import ApusGateway
import ApusJSON

/// Feedback as requests bring it: `prediction_id`, and `reward`, `ground_truth` or `metrics`.
enum FeedbackMessage {
    /// Reads a request with one prediction's feedback, or a batch of them under `feedback`.
    ///
    /// `now` is when it counts as seen, unless it says so itself in `timestamp_ms`.
    ///
    /// - Throws: `INVALID_PARAMETER_VALUE` that names the first field that is wrong.
    static func read(_ message: MessageReader, now: Int64) throws -> [Feedback] {
        guard try message.json("feedback") != nil else { return try entry(message, now) }
        return try message.messages("feedback", limit: FeedbackStore.batchLimit).flatMap { try entry($0, now) }
    }

    private static func entry(_ message: MessageReader, _ now: Int64) throws -> [Feedback] {
        let text = try message.requiredString("prediction_id")
        guard let prediction = PredictionID(text) else {
            throw ServingError.invalid(
                "'\(message.path("prediction_id"))' is '\(text.prefix(100))', which is no prediction's: send what the "
                    + "answer's header X-Apus-Prediction-Id said."
            )
        }
        let observed = try message.integer("timestamp_ms") ?? now
        guard (0...1 << 48).contains(observed) else {
            throw ServingError.invalid("'\(message.path("timestamp_ms"))' is a time in milliseconds since 1970.")
        }
        var feedback: [Feedback] = []
        func add(_ metric: String, _ value: Double?, _ text: String? = nil) {
            feedback.append(
                Feedback(prediction: prediction, metric: metric, value: value, text: text, observed: observed)
            )
        }
        if let reward = try message.json("reward") {
            add(Feedback.reward, try number(reward, message.path("reward")))
        }
        if let truth = try message.json("ground_truth") {
            let (value, text) = try self.truth(truth, message.path("ground_truth"))
            add(Feedback.truth, value, text)
        }
        if let metrics = try message.json("metrics") {
            guard let members = metrics.members else {
                throw ServingError.invalid("'\(message.path("metrics"))' must be an object of numbers.")
            }
            for member in members {
                guard (1...Feedback.longestName).contains(member.name.utf8.count) else {
                    throw ServingError.invalid(
                        "A name in '\(message.path("metrics"))' is empty or longer than \(Feedback.longestName) bytes."
                    )
                }
                guard member.name != Feedback.truth else {
                    throw ServingError.invalid("'\(Feedback.truth)' is a field of its own, beside 'metrics'.")
                }
                add(member.name, try number(member.value, "\(message.path("metrics")).\(member.name.prefix(100))"))
                guard feedback.count <= 100 else {
                    throw ServingError.invalid("'\(message.path("metrics"))' has more than 100 names.")
                }
            }
        }
        guard !feedback.isEmpty else {
            throw ServingError.invalid(
                "Nothing is said of '\(message.path("prediction_id"))': give 'reward', 'ground_truth' or 'metrics'."
            )
        }
        return feedback
    }

    /// A finite number, or a truth value as 1 or 0.
    private static func number(_ value: JSONValue, _ path: String) throws -> Double {
        guard let number = value.bool.map({ $0 ? 1 : 0 }) ?? value.double, number.isFinite else {
            throw ServingError.invalid("'\(path)' must be a number.")
        }
        return number
    }

    /// A number as such, anything else as its JSON.
    private static func truth(_ value: JSONValue, _ path: String) throws -> (Double?, String?) {
        if let number = value.double, number.isFinite { return (number, nil) }
        var json = JSONWriter()
        write(value, to: &json)
        guard json.bytes.count <= Feedback.longestText else {
            throw ServingError.invalid("'\(path)' is longer than \(Feedback.longestText) bytes.")
        }
        return (nil, String(decoding: json.bytes, as: UTF8.self))
    }

    /// The depth is that of the text, which its parser bounds.
    private static func write(_ value: JSONValue, to json: inout JSONWriter) {
        guard json.bytes.count <= Feedback.longestText else { return json.null() }
        switch value.kind {
        case .null: json.null()
        case .bool: json.bool(value.bool ?? false)
        case .string: json.string(value.string ?? "")
        case .integer: json.integer(value.integer ?? 0)
        case .unsigned, .double: json.double(value.double ?? 0)
        case .array: json.array(value.elements.map(Array.init) ?? []) { write($1, to: &$0) }
        case .object:
            json.object { json in
                for member in value.members.map(Array.init) ?? [] {
                    json.key(text: member.name)
                    write(member.value, to: &json)
                }
            }
        }
    }
}
