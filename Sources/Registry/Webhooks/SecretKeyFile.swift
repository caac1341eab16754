import ApusKernel
import Crypto
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// A random key in a file that only its owner may read.
enum SecretKeyFile {
    /// Returns the key's text, and makes the file when it is missing.
    static func text(at path: String) throws -> String {
        let fresh = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0).base64EncodedString() }
        guard WholeFile.make(path, Array(fresh.utf8)) else {
            throw RequestError(.internalError, "The key for the secrets of webhooks could not be written.")
        }
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else {
            throw RequestError(.internalError, "The key for the secrets of webhooks could not be opened.")
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(file, &bytes, bytes.count)
        guard count >= 32 else {
            throw RequestError(.internalError, "The key for the secrets of webhooks is damaged.")
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
