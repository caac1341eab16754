import ApusCommand
import ApusVault

/// What a working copy remembers of its files, so that those that did not change need not be read again.
///
/// A file is trusted to be unchanged when its stamp is the same, and its last change was well before it was read: within
/// a tick of the file system's clock a second change leaves no trace.
struct FileIndex: Sendable {
    /// A file as it was when it was last read or written.
    struct Entry: Hashable, Sendable {
        var file: FileEntry
        var stamp: FileStamp
        /// Whether the stamp can be trusted.
        var isSettled: Bool
    }

    /// In the order of their paths.
    private(set) var entries: [Entry] = []

    private static let magic = Array("apus index 1\n".utf8)
    /// Two changes within so many nanoseconds may have one time.
    private static let tick: Int64 = 50_000_000

    init() {}

    /// - Parameter entries: In any order, one for each path.
    init(_ entries: [Entry]) {
        self.entries = entries.sorted { $0.file.path < $1.file.path }
    }

    /// An entry for a file that was read at an instant, in milliseconds since the Unix epoch.
    static func entry(_ file: FileEntry, _ stamp: FileStamp, readAt milliseconds: Int64) -> Entry {
        let latest = max(stamp.modified, stamp.changed)
        return Entry(file: file, stamp: stamp, isSettled: latest < milliseconds * 1_000_000 - tick)
    }

    /// The position of a path, or where it would be.
    func position(of path: FilePath) -> (index: Int, isThere: Bool) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].file.path < path { low = middle + 1 } else { high = middle }
        }
        return (low, low < entries.count && entries[low].file.path == path)
    }

    subscript(path: FilePath) -> Entry? {
        let (index, isThere) = position(of: path)
        return isThere ? entries[index] : nil
    }

    /// Takes changes in: new entries by their paths, and paths that are gone.
    mutating func update(_ changed: [Entry], removing removed: Set<FilePath>) {
        let new = FileIndex(changed).entries
        var merged: [Entry] = []
        merged.reserveCapacity(entries.count + new.count)
        var next = 0
        for entry in entries {
            while next < new.count, new[next].file.path < entry.file.path {
                merged.append(new[next])
                next += 1
            }
            if next < new.count, new[next].file.path == entry.file.path { continue }
            if !removed.contains(entry.file.path) { merged.append(entry) }
        }
        merged += new[next...]
        entries = merged
    }
}

// MARK: - On disk

extension FileIndex {
    /// Reads an index; an empty one when it is missing or damaged, for it can be made again.
    init(contentsOf path: String) {
        guard let bytes = LocalFiles.read(path), let entries = Self.decode(bytes) else { return }
        self.entries = entries
    }

    /// Writes the index, so that it is there whole or not at all.
    func write(to path: String) throws {
        var bytes = Self.magic
        bytes.reserveCapacity(entries.count * 128)
        for entry in entries { Self.append(entry, to: &bytes) }
        Digest(hashing: bytes).append(to: &bytes)
        try LocalFiles.replace(path, with: bytes)
    }

    private static func append(_ entry: Entry, to bytes: inout [UInt8]) {
        let path = entry.file.path.text
        append(UInt16(truncatingIfNeeded: path.utf8.count), to: &bytes)
        bytes.append(contentsOf: path.utf8)
        entry.file.digest.append(to: &bytes)
        append(entry.stamp.inode, to: &bytes)
        append(entry.stamp.sizeBytes, to: &bytes)
        append(entry.stamp.modified, to: &bytes)
        append(entry.stamp.changed, to: &bytes)
        let flags: UInt8 =
            (entry.stamp.isExecutable ? 1 : 0) | (entry.isSettled ? 2 : 0) | (entry.file.isExecutable ? 4 : 0)
        bytes.append(flags)
    }

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func decode(_ bytes: [UInt8]) -> [Entry]? {
        let end = bytes.count - Digest.byteCount
        guard end >= magic.count, bytes.starts(with: magic),
            Digest(bytes: bytes[end...]) == bytes.withUnsafeBytes({ Digest(hashing: .init(rebasing: $0[..<end])) })
        else { return nil }
        return bytes.withUnsafeBytes { all in
            var entries: [Entry] = []
            var offset = magic.count
            func number<Number: FixedWidthInteger>(_: Number.Type) -> Number {
                defer { offset += MemoryLayout<Number>.size }
                return Number(littleEndian: all.loadUnaligned(fromByteOffset: offset, as: Number.self))
            }
            while offset < end {
                guard end - offset >= 2 else { return nil }
                let length = Int(number(UInt16.self))
                guard end - offset >= length + Digest.byteCount + 33 else { return nil }
                let name = all[offset..<(offset + length)]
                offset += length
                guard let path = name.withMemoryRebound(to: UInt8.self, { FilePath(utf8: .init(rebasing: $0[...])) }),
                    let digest = Digest(raw: .init(rebasing: all[offset..<(offset + Digest.byteCount)]))
                else { return nil }
                offset += Digest.byteCount
                let (inode, size) = (number(UInt64.self), number(Int64.self))
                let (modified, changed) = (number(Int64.self), number(Int64.self))
                let flags = number(UInt8.self)
                entries.append(
                    Entry(
                        file: FileEntry(
                            path: path,
                            digest: digest,
                            sizeBytes: size,
                            isExecutable: flags & 4 != 0
                        ),
                        stamp: FileStamp(
                            inode: inode,
                            sizeBytes: size,
                            modified: modified,
                            changed: changed,
                            isExecutable: flags & 1 != 0
                        ),
                        isSettled: flags & 2 != 0
                    )
                )
            }
            return entries
        }
    }
}
