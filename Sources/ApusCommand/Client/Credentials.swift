import FoundationEssentials

/// Who the caller is; never taken from the command line, where other users of the machine could read it.
package enum Credentials {
    /// The variables that are read, for help texts.
    package static let variables = "APUS_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"

    /// The value of the `Authorization` header; nil when nothing is set.
    package static func header(environment: Environment, address: ServerAddress) -> String? {
        if let (_, token) = environment.first(of: ["APUS_TOKEN", "MLFLOW_TRACKING_TOKEN"]) { return "Bearer \(token)" }
        if let name = environment["MLFLOW_TRACKING_USERNAME"], let password = environment["MLFLOW_TRACKING_PASSWORD"] {
            return basic("\(name):\(password)")
        }
        return address.userInfo.map(basic)
    }

    private static func basic(_ pair: String) -> String {
        "Basic \(Data(pair.utf8).base64EncodedString())"
    }
}
