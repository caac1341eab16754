import ApusDatabase
import ApusKernel
import ApusVault
import FoundationEssentials
import Logging
import Testing

@Suite struct VaultIdentityTests {
    private func makeFolder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "apus-test-\(RandomIdentifiers().hex32())")
            .path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func makeDatabase(_ folder: String) async throws -> Database {
        let database = try Database(.sqlite(path: "\(folder)/apus.db"), logger: Logger(label: "test"))
        try await database.migrate(VaultIdentity.migrations)
        return database
    }

    @Test func `a Vault is bound once and stays bound`() async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try await makeDatabase(folder)
        await #expect(throws: RequestError.self) { try await VaultIdentity.check(folder: folder, with: database) }
        try await VaultIdentity.bind(folder: folder, to: database)
        try await VaultIdentity.bind(folder: folder, to: database)
        try await VaultIdentity.check(folder: folder, with: database)
    }

    @Test func `a Vault of another database is refused`() async throws {
        let (first, second) = (try makeFolder(), try makeFolder())
        defer {
            try? FileManager.default.removeItem(atPath: first)
            try? FileManager.default.removeItem(atPath: second)
        }
        let one = try await makeDatabase(first)
        let other = try await makeDatabase(second)
        try await VaultIdentity.bind(folder: first, to: one)
        try await VaultIdentity.bind(folder: second, to: other)
        await #expect(throws: RequestError.self) { try await VaultIdentity.bind(folder: first, to: other) }
        await #expect(throws: RequestError.self) { try await VaultIdentity.check(folder: first, with: other) }
        try await VaultIdentity.check(folder: first, with: one)
    }
}
