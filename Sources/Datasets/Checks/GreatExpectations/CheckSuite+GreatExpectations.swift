import ApusTable

extension CheckSuite {
    /// Reads a suite of Great Expectations, of 1.x or 0.x.
    ///
    /// What has no counterpart is left out and told in the notes, one for each thing.
    ///
    /// - Parameter text: The JSON of an `ExpectationSuite`.
    /// - Returns: The suite, and what did not come through.
    /// - Throws: ``SuiteMistakes`` for what is no such suite.
    package static func importing(greatExpectations text: String) throws -> (suite: CheckSuite, notes: [ConversionNote])
    {
        let root = try SuiteText.read(text)
        guard let list = root["expectations"]?.elements, list.count <= maximumChecks else {
            let message = "this is no suite of Great Expectations: it has no list of 'expectations'"
            throw SuiteMistakes([SuiteMistake("", line: nil, message)])
        }
        var notes: [ConversionNote] = []
        var checks: [Check] = []
        for (index, node) in list.enumerated() {
            var reader = ExpectationReader(node, index: index)
            if let check = reader.read() { checks.append(check) }
            notes += reader.notes
        }
        let known = ["name", "expectation_suite_name", "expectations", "meta", "notes"]
        for (name, value) in root.members ?? []
        where !known.contains(name) && !value.isNull && value.members?.isEmpty != true {
            notes.append(ConversionNote(.ignored, name, "suites of Apus have no such part"))
        }
        let meta = root["meta"].flatMap { $0.members?.isEmpty == true || $0.isNull ? nil : $0.value }
        let suite = CheckSuite(
            name: root["name"]?.text ?? root["expectation_suite_name"]?.text ?? "checks",
            description: root["notes"]?.text,
            checks: checks,
            meta: meta
        )
        return (suite, notes)
    }

    /// The suite for Great Expectations 1.x, as the JSON of an `ExpectationSuite`, and what it cannot say.
    package func exportingGreatExpectations() -> (suite: SuiteValue, notes: [ConversionNote]) {
        var notes: [ConversionNote] = []
        var expectations: [SuiteValue] = []
        for (index, check) in checks.enumerated() {
            let place = "checks[\(index)] \(check.id)"
            guard let (type, arguments) = check.expectation.greatExpectation else {
                let message = "Great Expectations has nothing for '\(check.expectation.word)'"
                notes.append(ConversionNote(.unsupported, place, message))
                continue
            }
            expectations.append(check.greatExpectation(type, arguments))
            if case .values(_, .date) = check.expectation {
                notes.append(ConversionNote(.changed, place, "dateutil guesses at more formats than 'date' reads"))
            }
        }
        if !keys.isEmpty {
            let message = "give \(keys.joined(separator: ", ")) as unexpected_index_column_names when you validate"
            notes.append(ConversionNote(.ignored, "keys", message))
        }
        let suite = SuiteValue.object([
            .init("name", .text(name)), .init("id", .null), .init("expectations", .list(expectations)),
            .init("meta", meta ?? .object([])), .init("notes", description.map { .text($0) } ?? .null),
        ])
        return (suite, notes)
    }
}

extension Check {
    fileprivate func greatExpectation(_ type: ExpectationType, _ arguments: [SuiteValue.Member]) -> SuiteValue {
        var arguments = arguments
        if mostly != 1 { arguments.append(.init("mostly", .number(mostly))) }
        var meta = self.meta
        var members: [SuiteValue.Member] = [.init("type", .text(type.rawValue)), .init("kwargs", .object(arguments))]
        var severityName = severity == .fail ? "critical" : "warning"
        if case .object(var kept)? = meta, case .object(let aside)? = meta?[ExpectationReader.aside] {
            kept.removeAll { $0.name == ExpectationReader.aside }
            meta = .object(kept)
            for member in aside {
                if member.name == "severity", case .scalar(.text(let name)) = member.value, severity == .warn {
                    severityName = name
                } else if member.name == "description" {
                    members.append(member)
                }
            }
        }
        members.append(.init("meta", meta ?? .object([])))
        if let note { members.append(.init("notes", .text(note))) }
        members.append(.init("severity", .text(severityName)))
        if id != expectation.standardIdentifier, !id.hasPrefix("\(expectation.standardIdentifier)#") {
            members.append(.init("id", .text(id)))
        }
        return .object(members)
    }
}
