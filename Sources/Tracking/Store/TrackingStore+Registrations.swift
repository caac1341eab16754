package import ApusDatabase
import ApusJSON
import ApusKernel

extension TrackingStore {
    /// Notes on a logged model that it was registered: adds to its tag `mlflow.modelVersions`, a JSON list of
    /// `{"name": …, "version": …}`.
    ///
    /// Runs in the transaction that makes the version, so that both happen or none.
    ///
    /// - Throws: `TrackingError.loggedModelNotFound`.
    package func noteRegistration(
        ofLoggedModel id: String,
        name: String,
        version: Int64,
        in transaction: Transaction
    ) throws {
        try transaction.lock("logged_model/\(id)")
        let tag = "mlflow.modelVersions"
        let key = try transaction.first("SELECT logged_model_id FROM logged_models WHERE model_id = ?", [.text(id)]) {
            $0.integer(0)
        }
        guard let key else { throw TrackingError.loggedModelNotFound(id: id) }
        let noted = try transaction.first(
            "SELECT tag_value FROM logged_model_tags WHERE logged_model_id = ? AND tag_key = ?",
            [.integer(key), .text(tag)]
        ) { $0.text(0) }
        let registrations = Self.registrations(noted ?? "[]")
        guard !registrations.contains(where: { $0 == (name, version) }) else { return }
        // Spaced as Python writes it: clients compare the text.
        let entries = (registrations + [(name, version)]).map { registration in
            "{\"name\": \(jsonString(registration.name)), \"version\": \(registration.version)}"
        }
        try transaction.execute(
            """
            INSERT INTO logged_model_tags (logged_model_id, tag_key, tag_value)
            VALUES (?, ?, ?)
            ON CONFLICT (logged_model_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value
            """,
            [.integer(key), .text(tag), .text("[\(entries.joined(separator: ", "))]")]
        )
    }

    /// What the tag says; a client may have set it to anything.
    private static func registrations(_ text: String) -> [(name: String, version: Int64)] {
        var text = text
        return text.withUTF8 { bytes in
            guard let document = try? JSONDocument(parsing: UnsafeRawBufferPointer(bytes)),
                let elements = document.root.elements
            else { return [] }
            return elements.compactMap { element in
                guard let name = element["name"]?.string, let version = element["version"] else { return nil }
                guard let number = version.integer ?? version.string.flatMap({ Int64($0) }) else { return nil }
                return (name, number)
            }
        }
    }
}
