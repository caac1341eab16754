import Foundation

/// A program that a test runs to its end.
struct Program {
    private let executable: String
    private let arguments: [String]
    private let variables: [String: String]
    private let folder: String

    /// The program sees no variables but these and `LANG`, and works in `folder`.
    init(_ executable: String, _ arguments: [String], variables: [String: String] = [:], folder: String = "/") {
        self.executable = executable
        self.arguments = arguments
        self.variables = variables.merging(["LANG": "C.UTF-8"]) { own, _ in own }
        self.folder = folder
    }

    /// It did not end well.
    struct Failure: Error {
        let status: Int32
        let lines: [String]
    }

    /// Blocks until the program has ended; it is told to end when it takes longer than `limit` seconds.
    ///
    /// - Returns: The lines that it wrote.
    /// - Throws: ``Failure``, and why it could not be started.
    func run(limit: TimeInterval) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = variables
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let alarm = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: alarm)
        defer { alarm.cancel() }
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw Failure(status: process.terminationStatus, lines: lines)
        }
        return lines
    }
}
