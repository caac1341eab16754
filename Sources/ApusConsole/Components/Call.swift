import ApusJSON

/// A call of a REST API that a page offers; what a person enters joins its fields.
package struct Call: Sendable {
    package enum Method: String, Sendable {
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    private let json: String

    /// A call of MLflow's REST API.
    ///
    /// - Parameters:
    ///   - method: The method of the endpoint.
    ///   - path: What follows `ajax-api/2.0/mlflow/`.
    ///   - fields: What is known before anything is entered.
    package init(_ method: Method, _ path: StaticString, _ fields: [(name: String, value: String)]) {
        self.init(method, at: "ajax-api/2.0/mlflow/\(path)", fields)
    }

    /// A call of an API of ours.
    package init(_ method: Method, at link: Link, _ fields: [(name: String, value: String)] = []) {
        self.init(method, at: link.text, fields)
    }

    private init(_ method: Method, at address: String, _ fields: [(name: String, value: String)]) {
        var writer = JSONWriter()
        writer.object { json in
            json.key("method")
            json.string(method.rawValue)
            json.key("address")
            json.string(address)
            json.key("fields")
            json.object { json in
                for field in fields {
                    json.key(text: field.name)
                    json.string(field.value)
                }
            }
        }
        json = String(decoding: writer.bytes, as: UTF8.self)
    }

    package var attribute: Attribute { Attribute("data-call", json) }

    /// For a checkbox: when it is checked, this is called before the form's own call, with one of its fields.
    package func first(taking field: StaticString) -> Attribute {
        Attribute("data-first", "\(field) \(json)")
    }
}

/// What a person is asked before something is changed that others rely on.
package struct Question: Sendable {
    let title: String
    let effects: [String]
    let button: String
    let isDangerous: Bool
    let asksWhy: Bool

    /// - Parameters:
    ///   - title: The question.
    ///   - effects: What will happen, and what is lost, a sentence each.
    ///   - button: What the button says that does it.
    ///   - isDangerous: Whether something is destroyed.
    ///   - asksWhy: Whether a reason can be given, which joins the call as `reason`.
    package init(
        _ title: String,
        effects: [String],
        button: String,
        isDangerous: Bool = true,
        asksWhy: Bool = false
    ) {
        self.title = title
        self.effects = effects
        self.button = button
        self.isDangerous = isDangerous
        self.asksWhy = asksWhy
    }

    var attributes: [Attribute?] {
        [
            Attribute("data-question", title), Attribute("data-effects", effects.joined(separator: "\n")),
            Attribute("data-button", button), isDangerous ? Attribute("data-danger") : nil,
            asksWhy ? Attribute("data-asks-why") : nil,
        ]
    }
}

/// What is shown after a call: the page with its changes, or another one.
package enum Afterwards: Sendable {
    case here
    case at(Link)
    /// The page whose address ends with what was entered, below this one.
    case below(Link, field: String)

    var attributes: [Attribute?] {
        switch self {
        case .here: []
        case .at(let link): [Attribute("data-then", link.text)]
        case .below(let link, let field): [Attribute("data-then", link.text), Attribute("data-then-field", field)]
        }
    }
}
