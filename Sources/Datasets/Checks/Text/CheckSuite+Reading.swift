extension CheckSuite {
    private static let members = ["name", "description", "keys", "checks", "meta"]

    /// Reads a suite from YAML or JSON, or from the list of its checks alone.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - name: What the suite is called if the text does not say.
    /// - Throws: ``SuiteMistakes``.
    package init(reading text: String, name: String = "checks") throws {
        let root = try SuiteText.read(text)
        var mistakes: [SuiteMistake] = []
        func fail(_ place: String, _ node: SuiteNode, _ message: String) {
            mistakes.append(SuiteMistake(place, line: node.line ?? root.line, message))
        }
        func words(_ name: String) -> String? {
            guard let node = root[name], !node.isNull else { return nil }
            if let text = node.text ?? node.scalar.map(\.shown) { return text }
            fail(name, node, "a text, not \(node.kind)")
            return nil
        }
        guard root.elements != nil || root.members != nil else {
            throw SuiteMistakes([SuiteMistake("", line: root.line, "a suite is a mapping with 'checks'")])
        }
        if root["expectations"] != nil {
            let message = "this is a suite of Great Expectations; 'apus data checks import' reads it"
            throw SuiteMistakes([SuiteMistake("expectations", line: root.line, message)])
        }
        for (name, value) in root.members ?? [] where !Self.members.contains(name) {
            fail(name, value, "unknown word\(NearestWord.hint(name, in: Self.members))")
        }
        var keys: [String] = []
        if let node = root["keys"] {
            do {
                keys = try ParameterReader(node, place: "keys").texts()
            } catch {
                mistakes.append(error)
            }
        }
        let list: [SuiteNode]? = root.elements ?? root["checks"]?.elements
        if list == nil { fail("checks", root["checks"] ?? root, "a list of checks is needed") }
        if let list, list.count > Self.maximumChecks { fail("checks", root, "at most \(Self.maximumChecks) checks") }
        var checks: [Check] = []
        var given = Set<String>()
        for (index, node) in (list ?? []).prefix(Self.maximumChecks).enumerated() {
            var reader = CheckReader(node, place: "checks[\(index)]")
            if let check = reader.read() { checks.append(check) }
            mistakes += reader.mistakes
            if let id = node["id"]?.text, !given.insert(id).inserted {
                fail("checks[\(index)].id", node, "another check is called '\(id)' too")
            }
        }
        guard mistakes.isEmpty else { throw SuiteMistakes(mistakes) }
        self.init(
            name: words("name") ?? name,
            description: words("description"),
            keys: keys,
            checks: checks,
            meta: root["meta"]?.value
        )
        guard mistakes.isEmpty else { throw SuiteMistakes(mistakes) }
    }
}
