/// What a check that fails means for those who wait at a gate.
package enum CheckSeverity: String, Sendable, CaseIterable {
    /// It is told, and nothing is held up.
    case warn
    /// The gate stays shut.
    case fail
}
