import Glibc

/// Runs programs of the machine.
enum Shell {
    struct Failed: Error { let command: String }

    /// Runs a command line.
    static func run(_ command: String) throws {
        guard system("{ \(command) ; } >/dev/null 2>&1") == 0 else { throw Failed(command: command) }
    }
}
