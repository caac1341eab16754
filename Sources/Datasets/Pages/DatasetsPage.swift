package import ApusConsole

/// The addresses of the pages of datasets.
package enum DatasetsPage: Sendable {
    case datasets
    case dataset(String)
    /// A version, by any of its names.
    case version(String, String)
    case diff(String)

    /// The beginning of the Ledger's actions that change what these pages show.
    static let changes = "dataset"

    /// The pattern of the router, for one example of each.
    var pattern: String {
        switch self {
        case .datasets: "console/datasets"
        case .dataset: "console/datasets/{name}"
        case .version: "console/datasets/{name}/versions/{version}"
        case .diff: "console/datasets/{name}/diff"
        }
    }

    package var link: Link { link() }

    /// The address with arguments, at a part of the page.
    package func link(_ query: [(String, String)] = [], fragment: String = "") -> Link {
        let segments =
            switch self {
            case .datasets: ["console", "datasets"]
            case .dataset(let name): ["console", "datasets", name]
            case .version(let name, let version): ["console", "datasets", name, "versions", version]
            case .diff(let name): ["console", "datasets", name, "diff"]
            }
        return Link(segments: segments, query: query, fragment: fragment)
    }

    /// The page of a version, at a file or directory of it.
    static func version(_ name: String, _ number: Int64, at path: FilePath? = nil) -> Link {
        version(name, "v\(number)").link(path.map { [("path", $0.text)] } ?? [])
    }

    /// The comparison of two versions, at a file.
    static func diff(_ name: String, from: Int64, to: Int64, at path: FilePath? = nil) -> Link {
        diff(name).link([("from", "v\(from)"), ("to", "v\(to)")] + (path.map { [("path", $0.text)] } ?? []))
    }
}

/// The addresses of the API of datasets that pages lead to.
enum DatasetAPI {
    /// The bytes of a file.
    static func file(_ name: String, _ number: Int64, _ path: FilePath) -> Link {
        Link(segments: ["api", "v1", "datasets", name, "versions", "v\(number)", "files"] + path.segments)
    }

    /// A tar archive of a directory, or of all files.
    static func archive(_ name: String, _ number: Int64, _ directory: FilePath? = nil) -> Link {
        Link(
            segments: ["api", "v1", "datasets", name, "versions", "v\(number)", "archive"],
            query: directory.map { [("path", $0.text)] } ?? []
        )
    }

    static func dataset(_ name: String) -> Link { Link("ajax-api", "v1", "datasets", name) }
    static func refs(_ name: String) -> Link { Link("ajax-api", "v1", "datasets", name, "refs") }
    static func ref(_ name: String, _ ref: String) -> Link { Link("ajax-api", "v1", "datasets", name, "refs", ref) }
}
