/// What this binary is.
package enum Build {
    /// The version of Apus.
    package static let version = "0.1.0"
}
