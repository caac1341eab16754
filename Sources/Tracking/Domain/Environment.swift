#if canImport(Glibc)
    import Glibc
#endif

/// A variable of the process's environment; nil when it is not set.
package func environmentValue(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

/// A truth value from the environment, spelled as MLflow reads it.
package func environmentFlag(_ name: String, default fallback: Bool) -> Bool {
    switch environmentValue(name)?.lowercased() {
    case "true", "1": true
    case "false", "0": false
    default: fallback
    }
}
