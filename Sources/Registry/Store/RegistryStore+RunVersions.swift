import ApusDatabase
package import Tracking

extension RegistryStore: RegisteredVersions {
    /// The versions that came from a run, the newest first.
    package func versions(ofRun id: String) async throws -> [RegisteredVersion] {
        guard id.utf8.allSatisfy({ $0 != UInt8(ascii: "'") }) else { return [] }
        let found = try await searchVersions(RegistrySearch(filter: "run_id = '\(id)'", limit: 50)).items
        guard !found.isEmpty else { return [] }
        let aliases = try await database.read { try Self.aliases(.integers(Set(found.map(\.modelID)).sorted()), $0) }
        return found.map { version in
            RegisteredVersion(
                name: version.name,
                version: "\(version.version)",
                aliases: (aliases[version.modelID] ?? []).filter { $0.version == version.version }.map(\.alias)
            )
        }
    }
}
