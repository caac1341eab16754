import ApusKernel

/// What the last part of an address of TensorFlow Serving says: a name, and a verb behind a colon.
struct PathAddress: Equatable {
    /// What is to be done with a model.
    enum Verb: String {
        case predict, classify, regress, explain
    }

    let name: String
    /// Nil where none is given.
    let verb: Verb?

    /// Splits `name:verb`; the verb is read in any case.
    ///
    /// - Throws: ``ServingError`` `badRequest` for another verb.
    init(_ text: String) throws {
        guard let colon = text.lastIndex(of: ":") else {
            name = text
            verb = nil
            return
        }
        let word = text[text.index(after: colon)...]
        guard let verb = Verb(rawValue: word.lowercased()) else {
            throw ServingError(.badRequest, "Malformed request: there is no method '\(word)'.")
        }
        name = String(text[..<colon])
        self.verb = verb
    }
}
