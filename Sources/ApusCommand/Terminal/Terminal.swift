import Glibc

/// What is known of the place where output appears.
package struct Terminal: Sendable, Equatable {
    /// Columns; nil when the output is not a terminal and lines may be as long as they are.
    package let width: Int?
    /// Whether escape sequences for colour are welcome.
    package let isColored: Bool

    package init(width: Int?, isColored: Bool) {
        self.width = width
        self.isColored = isColored
    }

    /// The standard output of this process.
    ///
    /// - Parameter environment: Read for `NO_COLOR`, `TERM` and, where the terminal does not say, `COLUMNS`.
    /// - Returns: Its width and whether it takes colours.
    /// - SeeAlso: https://no-color.org
    package static func standardOutput(environment: Environment = .process) -> Terminal {
        guard isatty(STDOUT_FILENO) == 1 else { return Terminal(width: nil, isColored: false) }
        let isColored = (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        var size = winsize()
        if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            return Terminal(width: Int(size.ws_col), isColored: isColored)
        }
        let columns = environment["COLUMNS"].flatMap { Int($0) } ?? 80
        return Terminal(width: max(20, columns), isColored: isColored)
    }
}
