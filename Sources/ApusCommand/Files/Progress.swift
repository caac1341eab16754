import Synchronization

/// Shows on standard error how far a transfer is, when a person looks at it.
package final class Progress: Sendable {
    private struct State {
        var label = ""
        var done: Int64 = 0
        var total: Int64?
        var lastDrawn: ContinuousClock.Instant?
        var isVisible = false
    }

    private static let interval = Duration.milliseconds(100)

    private let isShown: Bool
    private let width: Int
    private let began = ContinuousClock.now
    private let state = Mutex(State())

    /// - Parameters:
    ///   - isShown: Whether anything is drawn.
    ///   - width: Columns of the terminal.
    package init(isShown: Bool, width: Int) {
        self.isShown = isShown
        self.width = width
    }

    /// Draws on standard error if that is a terminal.
    package convenience init(_ terminal: Terminal) {
        self.init(isShown: StandardStream.error.isTerminal, width: terminal.width ?? 80)
    }

    /// Names what is transferred.
    package func begin(_ label: String, total: Int64?) {
        state.withLock { state in
            state.label = PrintableText.line(label)
            state.done = 0
            state.total = total
        }
    }

    /// Counts bytes, and draws now and then.
    package func advance(bytes: Int64) {
        state.withLock { state in
            state.done += bytes
            let now = ContinuousClock.now
            // What is over at once is not drawn at all.
            guard isShown, now - (state.lastDrawn ?? began) >= Self.interval else { return }
            state.lastDrawn = now
            state.isVisible = true
            let line = Self.line(state.label, done: state.done, total: state.total, width: width - 1)
            // A bar that cannot be drawn is no reason to stop the transfer.
            try? StandardStream.error.write("\r\(line)\u{1B}[K")
        }
    }

    /// Takes the bar away.
    package func end() {
        state.withLock { state in
            guard state.isVisible else { return }
            state.isVisible = false
            try? StandardStream.error.write("\r\u{1B}[K")
        }
    }

    /// A line such as `weights.bin  ████████░░░░  66%  2.0 MB of 3.0 MB`, at most `width` columns wide.
    static func line(_ label: String, done: Int64, total: Int64?, width: Int) -> String {
        guard let total, total > 0 else {
            return PrintableText.cut("\(label)  \(NumberText.bytes(done))", to: width)
        }
        let share = min(1, max(0, Double(done) / Double(total)))
        let cells = 20
        let full = Int(exactly: (share * Double(cells)).rounded(.down)) ?? 0
        let percent = Int(exactly: (share * 100).rounded(.down)) ?? 0
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
        let numbers =
            "  \(bar) \(percent < 10 ? "  " : percent < 100 ? " " : "")\(percent)%  "
            + "\(NumberText.bytes(done)) of \(NumberText.bytes(total))"
        return PrintableText.cut(label, to: max(8, width - DisplayWidth.of(numbers))) + numbers
    }
}
