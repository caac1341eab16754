import ApusJSON

extension CheckSuite {
    /// As ``init(reading:name:)`` reads it.
    package var value: SuiteValue {
        var members: [SuiteValue.Member] = [.init("name", .text(name))]
        if let description { members.append(.init("description", .text(description))) }
        if !keys.isEmpty { members.append(.init("keys", .texts(keys))) }
        members.append(.init("checks", .list(checks.map(\.value))))
        if let meta { members.append(.init("meta", meta)) }
        return .object(members)
    }

    /// The suite as YAML, a check on each line.
    package var yaml: String {
        guard case .object(let members) = value else { return "" }
        var text = ""
        for member in members {
            guard member.name == "checks", !checks.isEmpty else {
                text += "\(YAMLText.flow(.text(member.name))): \(YAMLText.flow(member.value))\n"
                continue
            }
            text += "checks:\n"
            for check in checks { text += "  - \(YAMLText.flow(check.value))\n" }
        }
        return text
    }

    /// The suite as JSON on one line.
    package var json: [UInt8] {
        var json = JSONWriter()
        json.suiteValue(value)
        return json.bytes
    }
}

extension Check {
    /// As ``CheckReader`` reads it.
    package var value: SuiteValue {
        var members: [SuiteValue.Member] = []
        // An identifier that was made says nothing new.
        if id != expectation.standardIdentifier, !id.hasPrefix("\(expectation.standardIdentifier)#") {
            members.append(.init("id", .text(id)))
        }
        let (word, value) = expectation.spelled
        switch word.subject {
        case .table: break
        case .column: members.append(.init("column", .text(expectation.columns.first ?? "")))
        case .columns, .pair: members.append(.init("columns", .texts(expectation.columns)))
        }
        members.append(.init(word.rawValue, value))
        if mostly != 1 { members.append(.init("mostly", .number(mostly))) }
        if severity != .fail { members.append(.init("severity", .text(severity.rawValue))) }
        if let note { members.append(.init("note", .text(note))) }
        if let meta { members.append(.init("meta", meta)) }
        return .object(members)
    }
}
