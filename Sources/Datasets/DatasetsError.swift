package import ApusKernel

/// What can go wrong with datasets.
package enum DatasetsError: PublicError, Equatable {
    case datasetNotFound(String)
    case datasetExists(String)
    case referenceNotFound(dataset: String, reference: String)
    case referenceExists(dataset: String, name: String)
    case invalidName(String, what: String)
    /// The branch has another head than the one that a commit was made on.
    case moved(dataset: String, branch: String, head: Int64?)
    /// A name that something else needs, such as the default branch.
    case inUse(String, why: String)
    /// The bytes have another hash than the one they were sent under.
    case wrongHash(expected: String, actual: String)
    /// A manifest names files that are not there.
    case missingFiles(count: Int, first: String)
    case invalidManifest(String)
    /// A version names contents that were not sent.
    case missingContents(count: Int, first: String)
    /// A version says of a file that it has another size than its content.
    case wrongSize(path: String, actual: Int64)
    /// A line of a batch of records, counted from 1, is none.
    case invalidRecords(line: Int, String)
    /// A batch has the name of another with other content.
    case keyReused(String)
    /// More batches of records wait than a commit takes.
    case tooManyPending(String)

    package var code: ErrorCode {
        switch self {
        case .datasetNotFound, .referenceNotFound: .resourceDoesNotExist
        case .datasetExists, .referenceExists: .resourceAlreadyExists
        case .invalidName, .wrongHash, .missingFiles, .invalidManifest, .missingContents, .wrongSize,
            .invalidRecords:
            .invalidParameterValue
        case .moved, .inUse, .keyReused: .resourceConflict
        case .tooManyPending: .resourceExhausted
        }
    }

    package var message: String {
        switch self {
        case .datasetNotFound(let name): "Dataset '\(name)' does not exist."
        case .datasetExists(let name): "Dataset '\(name)' already exists."
        case .referenceNotFound(let dataset, let reference):
            "Dataset '\(dataset)' has no branch, tag or version '\(reference)'."
        case .referenceExists(let dataset, let name): "Dataset '\(dataset)' already has a branch or tag '\(name)'."
        case .invalidName(let name, let what):
            "'\(name.prefix(200))' is no name of a \(what): use up to \(DatasetName.maximumBytes) letters, digits, '.', "
                + "'_' and '-', of which the first is a letter or a digit."
        case .moved(let dataset, let branch, let head):
            "Branch '\(branch)' of dataset '\(dataset)' has moved to \(head.map { "v\($0)" } ?? "nothing"). Look at what "
                + "is new, and commit again."
        case .inUse(let name, let why): "'\(name)' cannot be removed: \(why)."
        case .wrongHash(let expected, let actual):
            "The content has the hash \(actual), and not \(expected), under which it was sent."
        case .missingFiles(let count, let first):
            "\(count) files of the manifest are not here, such as '\(first.prefix(200))'. Push them before it."
        case .missingContents(let count, let first):
            "\(count) contents of the version are not in the dataset, such as \(first.prefix(100)). Send them before it."
        case .wrongSize(let path, let actual): "The content of '\(path.prefix(200))' has \(actual) bytes."
        case .invalidManifest(let why): "This is no manifest of a directory: \(why)."
        case .invalidRecords(let line, let why):
            "Line \(line): \(why). Records are JSON objects, one a line; nothing of the batch was kept."
        case .keyReused(let key):
            "A batch '\(key)' with other content was sent before. Give each batch a key of its own."
        case .tooManyPending(let name):
            "Too many batches of dataset '\(name)' wait to be committed. Commit them, and send this one again."
        }
    }
}
