import FoundationEssentials
import Testing

/// Reads the repository itself: what the compiler does not check, but readers rely on.
@Suite struct TidyTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private static func files(_ folder: String, ending: String) -> [String] {
        let found = try? FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(folder)")
        return (found ?? []).filter { $0.hasSuffix(ending) }.map { "\(folder)/\($0)" }.sorted()
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    private static func imports(_ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").drop {
                ["package", "public", "internal", "private", "@testable"].contains($0)
            }
            guard words.first == "import", words.count > 1 else { return nil }
            return String(words[words.startIndex + 1])
        }
    }

    private static let capabilities: Set<String> = ["Datasets", "Registry", "Serving", "Tracking"]

    @Test func `arrows point down only`() throws {
        let mechanisms = try FileManager.default.contentsOfDirectory(atPath: "\(Self.root)/Sources").filter {
            $0.hasPrefix("Apus")
        }
        #expect(mechanisms.count >= 8)
        for mechanism in mechanisms {
            for file in Self.files("Sources/\(mechanism)", ending: ".swift") {
                let wrong = Set(Self.imports(try Self.text(file))).intersection(Self.capabilities)
                #expect(wrong.isEmpty, "\(file) imports \(wrong)")
            }
        }
        for file in Self.files("Sources/Tracking", ending: ".swift") {
            #expect(!Self.imports(try Self.text(file)).contains("Registry"), "\(file)")
        }
    }

    /// In incremental builds the compiler accepts an import that the manifest does not declare.
    @Test func `every import of ours is declared`() throws {
        let manifest = try Self.text("Package.swift")
        let targets = try FileManager.default.contentsOfDirectory(atPath: "\(Self.root)/Sources")
        for target in targets where target.first?.isUppercase ?? false {
            guard let start = manifest.firstRange(of: "module(\"\(target)\"") else { continue }
            let declaration = manifest[start.lowerBound...].prefix { $0 != ")" }
            for file in Self.files("Sources/\(target)", ending: ".swift") {
                for name in Set(Self.imports(try Self.text(file))) where targets.contains(name) && name != target {
                    #expect(declaration.contains("\"\(name)\""), "\(file) imports \(name)")
                }
            }
        }
    }

    @Test func `no source can bring the process down by design`() throws {
        let banned = [
            "try!", "fatalError(", "preconditionFailure(", "Dictionary(uniqueKeysWithValues", " as! ", "TODO", "FIXME",
        ]
        for file in Self.files("Sources", ending: ".swift") {
            // What is generated is not ours to word.
            guard !file.hasSuffix(".pb.swift") else { continue }
            let text = try Self.text(file)
            for word in banned { #expect(!text.contains(word), "\(file) has \(word)") }
        }
    }

    @Test func `no file has grown past reading`() throws {
        // What is generated is not read.
        for file in Self.files("Sources", ending: ".swift") where !file.hasSuffix(".pb.swift") {
            let lines = try Self.text(file).split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(lines <= 500, "\(file) has \(lines) lines")
        }
    }

    @Test func `links in documents lead somewhere`() throws {
        let documents =
            ["README.md", "CHANGELOG.md"] + Self.files("docs", ending: ".md") + Self.files("Examples", ending: ".md")
        for document in documents {
            let folder = document.split(separator: "/").dropLast().joined(separator: "/")
            for piece in try Self.text(document).split(separator: "](").dropFirst() {
                let target = String(piece.prefix { $0 != ")" && $0 != "#" })
                guard !target.isEmpty, !target.contains("://"), !target.hasPrefix("mailto:") else { continue }
                let path = "\(Self.root)/\(folder.isEmpty ? "" : folder + "/")\(target)"
                #expect(FileManager.default.fileExists(atPath: path), "\(document) links to \(target)")
            }
        }
    }
}
