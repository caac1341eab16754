import ApusCommand
import ArgumentParser
import NIOCore

/// Where a suite goes that was made.
struct SuiteOutput: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("File to write, instead of standard output.", valueName: "file"))
    var output: String?
    @Flag(help: "Replace the file if there is one.") var force = false
    @Flag(help: "Print JSON, with what did not come through.") var json = false
    @Flag(help: "Fail when a check could not be converted.") var strict = false

    /// Writes a suite and what did not come through.
    func write(_ text: String, json value: SuiteValue, _ notes: [ConversionNote]) throws {
        if json {
            let list = notes.map { note in
                SuiteValue.object([
                    .init("kind", .text(note.kind.rawValue)), .init("place", .text(note.place)),
                    .init("message", .text(note.message)),
                ])
            }
            try emit(CheckFiles.text(.object([.init("suite", value), .init("notes", .list(list))])))
        } else {
            try emit(text)
            for note in notes { try StandardStream.error.write("\(PrintableText.line(note.description))\n") }
        }
        let lost = notes.count { $0.kind == .unsupported }
        if strict, lost > 0 { throw CommandFailure("\(NumberText.count(lost, "check")) could not be converted") }
    }

    private func emit(_ text: String) throws {
        guard let output else { return try StandardStream.output.write(text) }
        var sink = try FileSink(path: output, replaces: force)
        try sink.write(ByteBuffer(string: text))
        try sink.finish()
    }
}
