/// Reads one expectation of a suite of Great Expectations.
struct ExpectationReader {
    /// The member of a check's `meta` under which is kept what only Great Expectations has a use for.
    static let aside = "great_expectations"

    private let node: SuiteNode
    private let place: String
    private(set) var notes: [ConversionNote] = []

    private static let harmless = ["result_format", "catch_exceptions", "include_config", "batch_id", "meta"]
    private static let members = [
        "type", "expectation_type", "kwargs", "meta", "notes", "description", "severity", "id", "ge_cloud_id",
    ]

    init(_ node: SuiteNode, index: Int) {
        self.node = node
        let name = node["type"]?.text ?? node["expectation_type"]?.text ?? ""
        place = "expectations[\(index)]" + (name.isEmpty ? "" : " \(name)")
    }

    /// The check; nil when it is not supported, which is noted.
    mutating func read() -> Check? {
        guard let name = node["type"]?.text ?? node["expectation_type"]?.text else { return refuse("it has no 'type'") }
        guard let type = ExpectationType(rawValue: name) else {
            let near = NearestWord.of(name, in: ExpectationType.allCases.map(\.rawValue))
            return refuse("there is no such check in Apus" + (near.map { "; did you mean '\($0)'?" } ?? ""))
        }
        var arguments = ExpectationArguments(node["kwargs"]?.members ?? [])
        var changes: [String] = []
        do {
            let expectation = try type.read(&arguments, &changes)
            let mostly = try arguments.number("mostly") ?? 1
            guard (0...1).contains(mostly) else { return refuse("'mostly' is not from 0 to 1") }
            // A condition left out would make another check of it.
            if try arguments.take("row_condition") != nil {
                return refuse("'row_condition' is not read; a check with 'sql' can say it")
            }
            _ = try arguments.take("condition_parser")
            let rest = arguments.rest
            if let name = rest.first(where: { !Self.harmless.contains($0) }) { return refuse("'\(name)' is not read") }
            for name in rest { note(.ignored, "'\(name)' says how to validate, not what") }
            for change in changes { note(.changed, change) }
            return check(expectation, mostly: mostly)
        } catch let fault {
            return refuse(fault.message)
        }
    }

    private mutating func check(_ expectation: Expectation, mostly: Double) -> Check {
        var aside: [SuiteValue.Member] = []
        var severity = CheckSeverity.fail
        if let name = node["severity"]?.text, name != "critical" {
            severity = .warn
            if name != "warning" {
                aside.append(.init("severity", .text(name)))
                note(.changed, "the severity '\(name)' becomes 'warn'")
            }
        }
        let words = node["notes"].flatMap { $0.text ?? $0.elements?.compactMap(\.text).joined(separator: "\n") }
        let description = node["description"]?.text
        if words != nil, let description { aside.append(.init("description", .text(description))) }
        for (name, value) in node.members ?? []
        where !Self.members.contains(name) && !value.isNull && value.bool != false {
            note(.ignored, "'\(name)' has no place in a check")
        }
        var meta: [SuiteValue.Member] = []
        if case .object(let members)? = node["meta"]?.value { meta = members }
        if !aside.isEmpty { meta.append(.init(Self.aside, .object(aside))) }
        // What does not count rows has no 'mostly' with us; Great Expectations has none there either.
        return Check(
            id: node["id"]?.text ?? node["ge_cloud_id"]?.text,
            expectation,
            mostly: expectation.isAboutRows ? mostly : 1,
            severity: severity,
            note: words ?? description,
            meta: meta.isEmpty ? nil : .object(meta)
        )
    }

    private mutating func refuse(_ message: String) -> Check? {
        note(.unsupported, message)
        return nil
    }

    private mutating func note(_ kind: ConversionNote.Kind, _ message: String) {
        notes.append(ConversionNote(kind, place, message))
    }
}
