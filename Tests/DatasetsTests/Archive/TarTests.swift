import ApusKernel
import Datasets
import FoundationEssentials
import NIOCore
import Testing

/// Archives as they are written and read.
@Suite struct TarTests {
    private struct Stream: AsyncSequence {
        let pieces: [ByteBuffer]

        struct AsyncIterator: AsyncIteratorProtocol {
            var iterator: IndexingIterator<[ByteBuffer]>

            mutating func next() async -> ByteBuffer? { iterator.next() }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(iterator: pieces.makeIterator()) }
    }

    /// The bytes in pieces of some length.
    private static func stream(_ bytes: [UInt8], by length: Int) -> Stream {
        Stream(
            pieces: stride(from: 0, to: bytes.count, by: length).map {
                ByteBuffer(bytes: bytes[$0..<min($0 + length, bytes.count)])
            }
        )
    }

    private static func read(_ bytes: [UInt8], by length: Int = 1000) async throws -> [(TarEntry, [UInt8])] {
        var reader = TarReader(stream(bytes, by: length))
        var found: [(TarEntry, [UInt8])] = []
        while let entry = try await reader.next() {
            found.append((entry, Array(try await reader.wholeContent(upTo: 1 << 20).readableBytesView)))
        }
        return found
    }

    private static let names = [
        "a", "raw/tuesday.csv", "größe/данные.txt", String(repeating: "long/", count: 60) + "name",
        String(repeating: "x", count: 100), String(repeating: "y", count: 101), "with space", "=equals",
    ]

    private static var archive: [UInt8] {
        var bytes: [UInt8] = []
        for (index, name) in names.enumerated() {
            let content = [UInt8](repeating: UInt8(index), count: index * 300)
            let entry = TarEntry(name: name, sizeBytes: Int64(content.count), isExecutable: index % 2 == 1)
            bytes += TarHeader.blocks(of: entry) + content
            bytes += [UInt8](repeating: 0, count: TarHeader.padding(of: Int64(content.count)))
        }
        return bytes + TarHeader.end
    }

    @Test(arguments: [1, 7, 511, 512, 513, 100_000])
    func `what was written is read, in pieces of any size`(_ length: Int) async throws {
        let found = try await Self.read(Self.archive, by: length)
        #expect(found.map(\.0.name) == Self.names)
        for (index, (entry, content)) in found.enumerated() {
            #expect(entry.isExecutable == (index % 2 == 1))
            #expect(content == [UInt8](repeating: UInt8(index), count: index * 300))
        }
    }

    @Test func `contents may be passed over`() async throws {
        var reader = TarReader(Self.stream(Self.archive, by: 333))
        var names: [String] = []
        while let entry = try await reader.next() { names.append(entry.name) }
        #expect(names == Self.names)
    }

    @Test func `an archive that is cut anywhere is refused or read as far as it is whole`() async throws {
        let archive = Self.archive
        let whole = archive.count - TarHeader.end.count
        for end in stride(from: 0, to: whole, by: 97) {
            do {
                let found = try await Self.read(Array(archive[..<end]))
                // Cut between two entries it cannot be told from a whole one without its end.
                #expect(found.map(\.0.name) == Array(Self.names.prefix(found.count)))
                #expect(end % 512 == 0)
            } catch let error as RequestError {
                #expect(error.code == .invalidParameterValue)
            }
        }
    }

    @Test func `any changed byte of a header is noticed`() async throws {
        let header = TarHeader.blocks(of: TarEntry(name: "a", sizeBytes: 0))
        // The last byte of the checksum's field is filling.
        for position in header.indices where position != 155 {
            var changed = header
            changed[position] ^= 1
            await #expect(throws: RequestError.self) { try await Self.read(changed + TarHeader.end) }
        }
    }

    @Test func `random bytes end in an error and not in a crash`() async throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var bytes = Self.archive
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? await Self.read(bytes)
        }
    }

    @Test func `a size above what is there takes no memory`() async throws {
        let header = TarHeader.blocks(of: TarEntry(name: "huge", sizeBytes: 1 << 50))
        var reader = TarReader(Self.stream(header + [1, 2, 3], by: 512))
        #expect(try await reader.next()?.sizeBytes == 1 << 50)
        await #expect(throws: RequestError.self) { _ = try await reader.wholeContent(upTo: 1 << 20) }
        await #expect(throws: RequestError.self) { while try await reader.content() != nil {} }
    }

    @Test func `tar reads what we write, and we read what tar writes`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "apus-tar-\(UInt64.random(in: .min ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(Self.archive).write(to: folder.appending(path: "ours.tar"))
        try Shell.run("cd '\(folder.path)' && mkdir out && tar -xf ours.tar -C out")
        for (index, name) in Self.names.enumerated() {
            let content = try Data(contentsOf: folder.appending(path: "out/\(name)"))
            #expect(Array(content) == [UInt8](repeating: UInt8(index), count: index * 300))
        }
        for format in ["gnu", "ustar", "posix", "v7"] {
            // The old formats have no room for long names.
            let what = format == "gnu" || format == "posix" ? "." : "a raw"
            try Shell.run("cd '\(folder.path)/out' && tar --format=\(format) -cf ../theirs.tar \(what)")
            let bytes = Array(try Data(contentsOf: folder.appending(path: "theirs.tar")))
            let found = try await Self.read(bytes).map { entry, content in
                (entry.name.hasPrefix("./") ? String(entry.name.dropFirst(2)) : entry.name, content.count)
            }
            let sizes = Dictionary(found) { first, _ in first }
            #expect(sizes["raw/tuesday.csv"] == 300)
            if what == "." { #expect(Set(sizes.keys) == Set(Self.names)) }
        }
    }

    @Test func `links are refused by name`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "apus-tar-\(UInt64.random(in: .min ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Shell.run("cd '\(folder.path)' && ln -s /etc/passwd trap && tar -cf links.tar trap")
        let bytes = Array(try Data(contentsOf: folder.appending(path: "links.tar")))
        let error = await #expect(throws: RequestError.self) { try await Self.read(bytes) }
        #expect(error?.message.contains("'trap' is neither a file nor a folder") == true)
    }
}
