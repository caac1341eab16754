package import ApusKernel

/// One file that is uploaded in parts, in any order and at the same time.
package struct MultipartUpload: Hashable, Sendable {
    /// The most parts.
    package static let maximumPartCount = 10_000

    /// Names the upload: 32 hexadecimal digits that cannot be guessed.
    package let id: Identifier<MultipartUpload>
    /// The file that the upload becomes; an identifier is of no use with another key.
    package let key: ArtifactKey

    package init(id: Identifier<MultipartUpload>, key: ArtifactKey) {
        self.id = id
        self.key = key
    }

    /// One part that is on disk.
    package struct Part: Hashable, Sendable {
        /// The place in the file, from 1 to 10,000; numbers may be left out.
        package let number: Int
        /// The SHA-256 of the part, which serves as its entity tag.
        package let digest: Digest

        package init(number: Int, digest: Digest) {
            self.number = number
            self.digest = digest
        }

        /// The part's file in the folder of its upload; it sorts by number.
        var fileName: String {
            let digits = String(number)
            return String(repeating: "0", count: max(5 - digits.count, 0)) + digits + "." + digest.hex
        }
    }

    /// The upload's folder in the vault, or nil for an identifier that is none of ours.
    var folderPath: String? {
        let digits = id.rawValue.utf8
        let isOurs = digits.count == 32 && digits.allSatisfy { Hexadecimal.value(of: $0) != nil }
        return isOurs ? "uploads/\(id.rawValue)" : nil
    }
}
