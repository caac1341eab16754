import ApusConsole
import ApusGateway
import ApusJSON
import ApusKernel
import ApusQuery
import ApusVault
import HTTPTypes
import Serving
import Tracking

#if canImport(Glibc)
    import Glibc
#endif

/// The readers of clients' bytes that are fuzzed, and what must hold whatever they are given.
///
/// Each must come back, without a trap, with a value or with a refusal that is the client's fault.
enum FuzzTarget: String, CaseIterable {
    case filter, order, token, json, key, address, location, range, url, query, markdown

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        switch self {
        case .filter: try Self.filter(text)
        case .order:
            for schema in Self.schemas { _ = try? schema.parse(orderBy: text.split(separator: "\n").map(String.init)) }
        case .token:
            let token = try PageToken(decoding: text)
            let again = try PageToken(decoding: token.encoded)
            precondition(again == token)
        case .json: try Self.json(bytes)
        case .key: Self.check(try ArtifactKey(validating: text))
        case .address:
            let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            let address = try ArtifactAddress(of: String(parts[0]))
            if let key = address.key { Self.check(key) }
            guard parts.count > 1 else { return }
            let below = try address.appending(String(parts[1]))
            Self.check(below)
            if let key = address.key { precondition(below.isWithin(key) && below != key) }
        case .location:
            let location = try ArtifactLocation.checked(text, hosts: ArtifactHostPolicy())
            precondition(!ArtifactURI(location).segments.contains(".."))
        case .range:
            guard case .part(let part) = ByteRange(text, of: 1_000) else { return }
            precondition(!part.isEmpty && part.lowerBound >= 0 && part.upperBound <= 1_000)
        case .url:
            let url = try EgressURL(text, subject: "The address", schemes: ["https", "http"])
            let again = try EgressURL(url.text, subject: "The address", schemes: ["https", "http"])
            precondition(again == url)
        case .query: _ = try percentDecoded(text[...], plusIsSpace: true)
        case .markdown: Self.markdown(text)
        }
    }

    /// Every address begins with a scheme that may be opened, and no tag is a script.
    private static func markdown(_ text: String) {
        let markup = Component.markdown(text).markup
        for address in markup.split(separator: " href=\"").dropFirst() {
            let lower = address.prefix(8).lowercased()
            precondition(["http://", "https://", "mailto:"].contains { lower.hasPrefix($0) })
        }
        precondition(!markup.contains("<script") && !markup.contains("<img"))
    }

    private static let schemas: [SearchSchema] = [
        .runs, .experiments, .registeredModels, .modelVersions, .loggedModels,
    ]

    /// What was read can be printed and is read again as the same.
    private static func filter(_ text: String) throws {
        for schema in schemas {
            guard let filter = try? schema.parse(filter: text) else { continue }
            let printed = PrintedFilter(filter, in: schema)
            guard let again = printed.text else { continue }
            let reread = try schema.parse(filter: again)
            precondition(reread == filter)
        }
    }

    /// What was read can be written, and the writing is its own.
    private static func json(_ bytes: UnsafeRawBufferPointer) throws {
        let document = try JSONDocument(parsing: bytes)
        var writer = JSONWriter()
        write(document.root, to: &writer)
        let written = writer.bytes
        let again = try written.withUnsafeBytes { try JSONDocument(parsing: $0) }
        var second = JSONWriter()
        write(again.root, to: &second)
        precondition(second.bytes == written)
    }

    private static func write(_ value: JSONValue, to writer: inout JSONWriter) {
        if let text = value.string {
            writer.string(text)
        } else if let elements = value.elements {
            writer.array(elements) { write($1, to: &$0) }
        } else if let members = value.members {
            writer.object { writer in
                for member in members {
                    writer.key(text: member.name)
                    write(member.value, to: &writer)
                }
            }
        } else if let truth = value.bool {
            writer.bool(truth)
        } else if value.kind == .integer, let number = value.integer {
            writer.integer(number)
        } else if let number = value.double {
            writer.double(number)
        } else {
            writer.null()
        }
    }

    /// A key never climbs, whatever it is decoded to.
    private static func check(_ key: ArtifactKey) {
        let decoded = ArtifactLocation.fullyDecoded(key.path)
        for path in [key.path, decoded] {
            let segments = path.split(separator: "/", omittingEmptySubsequences: false)
            precondition(!segments.contains("..") && !segments.contains(".") && !segments.contains(""))
            precondition(!path.utf8.contains(0) && !path.utf8.contains(UInt8(ascii: "\\")))
        }
    }
}

/// What the environment names, of the targets of all capabilities.
private let target: @Sendable (UnsafeRawBufferPointer) throws -> Void = {
    let name = getenv("APUS_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    if let target = FuzzTarget(rawValue: name) { return { try target.run($0) } }
    if let target = ServingTarget(rawValue: name) { return { try target.run($0) } }
    if let target = DatasetsTarget(rawValue: name) { return { try target.run($0) } }
    let known =
        FuzzTarget.allCases.map(\.rawValue) + ServingTarget.allCases.map(\.rawValue)
        + DatasetsTarget.allCases.map(\.rawValue)
    fatalError("APUS_FUZZ_TARGET must be one of \(known.joined(separator: ", "))")
}()

/// Called by libFuzzer for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    do {
        try target(UnsafeRawBufferPointer(start: bytes, count: count))
    } catch let error as any PublicError {
        precondition(error.code.status.code < 500, "\(error)")
    } catch is JSONDocument.SyntaxError, is ScoringMediaType.Refusal {
        // The caller's mistake too.
    } catch let error as GRPCError {
        precondition(error.status != .internalError, "\(error)")
    } catch {
        fatalError("\(error)")
    }
    return 0
}
