import ArgumentParser
struct GarbageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "gc", abstract: "Delete for real what is in the trash.")
}
