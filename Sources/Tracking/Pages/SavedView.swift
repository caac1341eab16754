import ApusConsole
import ApusGateway
import ApusKernel

/// A table's filter, order, columns and so on under a name.
///
/// It is a tag of the experiment, so that a team shares it, clients can write it, and it goes where the experiment goes;
/// one tag for each, so that two people who save at once do not undo each other's. Its value is what follows the `?` of
/// the table's address.
struct SavedView {
    static let prefix = "apus.view."

    let name: String
    let link: Link

    /// Nil for a tag that is none.
    init?(_ tag: KeyValue, experiment: Int64) {
        guard tag.key.hasPrefix(Self.prefix), tag.key.count > Self.prefix.count else { return nil }
        name = String(tag.key.dropFirst(Self.prefix.count))
        let items = tag.value.split(separator: "&").prefix(50).compactMap { item -> (String, String)? in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = try? percentDecoded(parts[0], plusIsSpace: true),
                let value = try? percentDecoded(parts[1], plusIsSpace: true)
            else { return nil }
            return (name, value)
        }
        link = TrackingPage.experiment(experiment).link(items)
    }
}
