internal import CZlib
package import HTTPTypes

/// Makes pages and scripts smaller on their way to a browser.
package enum Gzip {
    /// Less is sent as it is: it fits into one packet anyway.
    static let leastBytes = 1_400

    /// Whether a client takes gzip, by its `Accept-Encoding`.
    package static func isAccepted(_ headers: HTTPFields) -> Bool {
        headers[values: .acceptEncoding].contains { value in
            value.split(separator: ",").contains { coding in
                let parts = coding.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
                guard parts.first == "gzip" else { return false }
                return !parts.dropFirst().contains { $0.hasPrefix("q=0") && !$0.contains { ("1"..."9").contains($0) } }
            }
        }
    }

    /// The bytes as one gzip member; nil when that fails or gains nothing.
    ///
    /// `level` is from 1, fast, to 9, small.
    package static func compressed(_ bytes: some Collection<UInt8>, level: Int32) -> [UInt8]? {
        let bytes = Array(bytes)
        guard bytes.count >= leastBytes else { return nil }
        var written = 0
        let result = [UInt8](unsafeUninitializedCapacity: bytes.count) { output, count in
            written = bytes.withUnsafeBytes { input in
                apus_gzip(input.baseAddress, input.count, output.baseAddress, output.count, level)
            }
            count = written
        }
        return written > 0 ? result : nil
    }
}
