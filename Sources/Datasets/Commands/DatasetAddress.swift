import ApusCommand
import ArgumentParser

/// What a person calls a dataset or one of its versions: `wine`, `wine@v3`, `wine@main`, `wine@blessed`.
package struct DatasetAddress: ExpressibleByArgument, Sendable, Equatable {
    package let name: String
    /// A branch, a tag, a number such as `v3`, or digits of an identifier; nil for the head of the default branch.
    package let reference: String?

    package init?(argument: String) {
        let parts = argument.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let first = parts.first, !first.isEmpty, parts.last?.isEmpty == false else { return nil }
        name = first
        reference = parts.count > 1 ? parts[1] : nil
    }

    /// The dataset itself.
    ///
    /// - Throws: ``CommandFailure`` when this is a version.
    func dataset() throws -> String {
        guard reference == nil else {
            throw CommandFailure.usage("this needs a dataset and not one of its versions", hint: "Write \(name).")
        }
        return name
    }

    /// The version that is meant, as the server tells of it.
    func version(_ client: APIClient) async throws -> JSON {
        let server = DatasetClient(client: client, dataset: name)
        if let reference { return try await server.version(reference) }
        let head = try await client.send(APIRequest(.get, DatasetClient.path(name)))["head"]
        guard head != .null else {
            throw CommandFailure(
                "dataset '\(name)' has no version yet",
                hint: "Commit a folder: apus data commit --help"
            )
        }
        return head
    }
}
