import ApusTable
import Yams

/// What a scalar of YAML means by the core schema of YAML 1.2: `no` and `on` are texts.
enum YAMLScalar {
    static func value(_ scalar: Node.Scalar) -> TableValue {
        scalar.style == .plain || scalar.style == .any ? plain(scalar.string) : .text(scalar.string)
    }

    /// What a text without quotes means.
    static func plain(_ text: String) -> TableValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        case ".nan", ".NaN", ".NAN": return .number(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
        default: break
        }
        guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }),
            text.utf8.contains(where: { "0123456789".utf8.contains($0) }), text.utf8.count <= 64
        else { return .text(text) }
        if let integer = Int64(text) { return .integer(integer) }
        if let number = Double(text), number.isFinite { return .number(number) }
        return .text(text)
    }
}
