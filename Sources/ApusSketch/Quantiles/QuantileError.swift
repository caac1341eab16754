#if canImport(Glibc)
    import Glibc
#endif

/// The fitted errors of Apache DataSketches' `KllHelper`, at 99 % confidence.
enum QuantileError {
    /// Of one rank.
    static func single(_ k: Int) -> Double { 2.296 / pow(Double(k), 0.9723) }

    /// Of the part between two points.
    static func double(_ k: Int) -> Double { 2.446 / pow(Double(k), 0.9433) }
}
