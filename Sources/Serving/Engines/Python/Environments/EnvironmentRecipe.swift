import ApusKernel
import Crypto
import Yams

/// What a model says it needs: a version of Python, and packages.
///
/// Lines come from the model, so only what names a package, a version and a secure index is taken: never a file of
/// this machine, nor an option that would run or read something else.
package struct EnvironmentRecipe: Sendable, Equatable {
    /// Such as `3.11`.
    package var python: String
    /// Lines as pip takes them, without comments.
    package var requirements: [String]
    var constraints: [String]

    private static let fileLimit = 1 << 18
    private static let lineLimit = 2000

    /// Reads `python_env.yaml`, `requirements.txt` and `constraints.txt` of a model.
    ///
    /// - Throws: ``ServingError`` when there is nothing of that, or a line is not allowed.
    package init(model folder: String) throws {
        var python: String?
        var lines: [String] = []
        if let text = Self.read("\(folder)/python_env.yaml") {
            guard let top = try? Yams.compose(yaml: text)?.mapping else {
                throw ServingError.modelFailed("The model's python_env.yaml cannot be read.")
            }
            python = top["python"]?.scalar?.string
            lines = top["dependencies"]?.sequence?.compactMap { $0.scalar?.string } ?? []
        }
        if lines.isEmpty { lines = ["-r requirements.txt"] }
        requirements = []
        constraints = []
        self.python = try Self.minorVersion(python)
        for line in lines { try add(line, folder: folder) }
        guard !requirements.isEmpty else {
            throw ServingError.modelFailed(
                "The model does not say which packages it needs: requirements.txt is missing."
            )
        }
    }

    /// `3.11` of `3.11.7`: releases of a minor version run the same packages.
    private static func minorVersion(_ text: String?) throws -> String {
        guard let text else { return "3" }
        let parts = text.split(separator: ".").prefix(2)
        let isNumeric = parts.allSatisfy { part in part.count < 4 && part.allSatisfy { "0123456789".contains($0) } }
        guard !parts.isEmpty, isNumeric else {
            throw ServingError.modelFailed("The model wants Python '\(text.prefix(40))', which is no version.")
        }
        return parts.joined(separator: ".")
    }

    private mutating func add(_ line: String, folder: String) throws {
        switch try Self.line(line) {
        case nil: return
        case "-r requirements.txt":
            guard let text = Self.read("\(folder)/requirements.txt") else {
                throw ServingError.modelFailed("The model's requirements.txt is missing.")
            }
            for line in text.split(whereSeparator: \.isNewline) {
                guard let line = try Self.line(String(line)) else { continue }
                guard line != "-r requirements.txt" else { continue }
                try add(line, folder: folder)
            }
        case "-c constraints.txt":
            guard let text = Self.read("\(folder)/constraints.txt") else { return }
            constraints += try text.split(whereSeparator: \.isNewline).compactMap { try Self.line(String($0)) }
        case let line?:
            guard requirements.count < Self.lineLimit else {
                throw ServingError.modelFailed("The model needs more than \(Self.lineLimit) packages.")
            }
            requirements.append(line)
        }
    }

    /// A line without comment; nil when nothing is left.
    private static func line(_ text: String) throws -> String? {
        var line = text.trimmed
        if line.hasPrefix("#") { return nil }
        if let comment = line.firstRange(of: " #") { line = String(line[..<comment.lowerBound]).trimmed }
        guard !line.isEmpty else { return nil }
        let allowed = ["-r requirements.txt", "-c constraints.txt"]
        if allowed.contains(line) { return line }
        guard !line.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }), line.utf8.count < 2000 else {
            throw refusal(line)
        }
        if line.hasPrefix("-") {
            let parts = line.split { $0 == " " || $0 == "=" }
            let options: [Substring] = ["--extra-index-url", "--index-url", "-i", "--find-links", "-f"]
            guard parts.count == 2, options.contains(parts[0]), parts[1].hasPrefix("https://")
            else { throw refusal(line) }
            return line
        }
        // A package's name comes first. A path, or a URL that is no https, is none.
        let name = line.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        let rest = line.dropFirst(name.count).drop { $0 == " " }
        guard let start = name.first, start.isLetter || start.isNumber, !line.contains(" -"),
            rest.isEmpty || "[=<>!~;@(".contains(rest.first ?? " "),
            !rest.contains("@") || rest.contains("@ https://") || rest.contains("@https://")
                || rest.contains("@ git+https://") || rest.contains("@git+https://")
        else { throw refusal(line) }
        return line
    }

    private static func refusal(_ line: String) -> ServingError {
        ServingError.modelFailed("The model's requirements have a line that is not allowed: '\(line.prefix(200))'.")
    }

    private static func read(_ path: String) -> String? {
        WholeFile.read(path, upTo: fileLimit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Equal for models that need the same, in whatever order and case they say so.
    package var digest: String {
        let lines = ["apus environment 1", python] + requirements.sorted() + ["constraints"] + constraints.sorted()
        let bytes = SHA256.hash(data: Array(lines.joined(separator: "\n").utf8))
        return bytes.prefix(20).map { byte in
            String(decoding: [Hexadecimal.digit(byte >> 4), Hexadecimal.digit(byte)], as: UTF8.self)
        }.joined()
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
