internal import ApusVault

// The bytes of a block:
//
//   magic      "aptree", then 1, the version of the format
//   level      1 byte
//   count      varint
//   items      each begins with its path: the bytes it shares with the path before, the number of others, the others
//     of level 0     flags (1: executable, 2: has an MD5), size, SHA-256, MD5 if it has one
//     above          number of files, sum of sizes, SHA-256 of the block
//
// Numbers are varints: groups of seven bits, the lowest first, with the eighth bit set on all but the last.
extension TreeBlock {
    static let magic = Array("aptree".utf8) + [1]
    static let executableFlag: UInt8 = 1
    static let md5Flag: UInt8 = 2

    /// The block's bytes; equal blocks have equal ones.
    package func encoded() -> [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(64 + count * 96)
        bytes.append(UInt8(truncatingIfNeeded: level))
        Self.append(UInt64(count), to: &bytes)
        var previous: FilePath?
        switch content {
        case .files(let files):
            for file in files {
                Self.append(file.path, after: previous, to: &bytes)
                previous = file.path
                bytes.append((file.isExecutable ? Self.executableFlag : 0) | (file.md5 == nil ? 0 : Self.md5Flag))
                Self.append(UInt64(bitPattern: file.sizeBytes), to: &bytes)
                file.digest.append(to: &bytes)
                file.md5?.append(to: &bytes)
            }
        case .children(let children):
            for child in children {
                Self.append(child.lastPath, after: previous, to: &bytes)
                previous = child.lastPath
                Self.append(UInt64(bitPattern: child.totals.fileCount), to: &bytes)
                Self.append(UInt64(bitPattern: child.totals.sizeBytes), to: &bytes)
                child.digest.append(to: &bytes)
            }
        }
        return bytes
    }

    private static func append(_ path: FilePath, after previous: FilePath?, to bytes: inout [UInt8]) {
        let shared = previous.map { path.commonBytes(with: $0) } ?? 0
        append(UInt64(shared), to: &bytes)
        PathBytes.with(path.text) { text in
            append(UInt64(text.count - shared), to: &bytes)
            bytes.append(contentsOf: text[shared...])
        }
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
