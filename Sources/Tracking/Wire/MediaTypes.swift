/// Media types by the names of files.
///
/// Texts are `text/plain` whatever they hold, as MLflow has it, so that a browser shows none of them as more.
package enum MediaTypes {
    /// The media type of a file of this name; `application/octet-stream` when the name tells nothing.
    package static func ofFile(named name: String) -> String {
        if plainNames.contains(name) { return plain }
        let scalars = name.utf8
        // A dot in front makes a hidden file, not an extension.
        guard let dot = scalars.lastIndex(of: UInt8(ascii: ".")), dot > scalars.startIndex else { return unknown }
        let suffix = name[scalars.index(after: dot)...].lowercased()
        if plainExtensions.contains(suffix) { return plain }
        return types[suffix] ?? unknown
    }

    private static let plain = "text/plain"
    private static let unknown = "application/octet-stream"

    private static let plainNames: Set<String> = ["MLmodel", "MLproject"]

    private static let plainExtensions: Set<String> = [
        "cf", "cfg", "cnf", "conf", "csv", "err", "hocon", "ini", "ipynb", "js", "json", "log", "md", "prop",
        "properties", "py", "py3", "rst", "toml", "tsv", "txt", "xml", "yaml", "yml",
    ]

    private static let types: [String: String] = [
        "7z": "application/x-7z-compressed",
        "aac": "audio/aac",
        "avi": "video/x-msvideo",
        "avif": "image/avif",
        "bmp": "image/bmp",
        "bz2": "application/x-bzip2",
        "css": "text/css",
        "flac": "audio/flac",
        "geojson": "application/geo+json",
        "gif": "image/gif",
        "gz": "application/gzip",
        "h5": "application/x-hdf5",
        "hdf5": "application/x-hdf5",
        "htm": "text/html",
        "html": "text/html",
        "ico": "image/vnd.microsoft.icon",
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "jsonl": "application/jsonl",
        "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "mp3": "audio/mpeg",
        "mp4": "video/mp4",
        "mpeg": "video/mpeg",
        "oga": "audio/ogg",
        "ogg": "audio/ogg",
        "ogv": "video/ogg",
        "onnx": "application/onnx",
        "opus": "audio/opus",
        "parquet": "application/vnd.apache.parquet",
        "pdf": "application/pdf",
        "png": "image/png",
        "ps": "application/postscript",
        "svg": "image/svg+xml",
        "tar": "application/x-tar",
        "tgz": "application/gzip",
        "tif": "image/tiff",
        "tiff": "image/tiff",
        "wasm": "application/wasm",
        "wav": "audio/wav",
        "weba": "audio/webm",
        "webm": "video/webm",
        "webp": "image/webp",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xz": "application/x-xz",
        "zip": "application/zip",
        "zst": "application/zstd",
    ]
}
