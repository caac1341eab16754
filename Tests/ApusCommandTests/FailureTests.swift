import ApusCommand
import ArgumentParser
import Testing

@Suite struct FailureTests {
    private let address: ServerAddress

    init() throws {
        address = try ServerAddress("http://127.0.0.1:5000/", from: "--server")
    }

    private func failure(_ status: UInt, _ body: String) -> CommandFailure {
        ServerFailure.answer(status: status, location: nil, body: Array(body.utf8), address: address)
    }

    @Test func `the server's words are shown without its full stop`() {
        let failure = failure(404, #"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"Run with id=x not found."}"#)
        #expect(failure.description == "error: Run with id=x not found\n")
        #expect(failure.exitCode == .failure)
    }

    @Test(
        arguments: [
            (401, "You are not authenticated.", "who you are", "APUS_TOKEN"),
            (403, "Permission denied", "does not permit", "administrator"),
            (403, "Invalid Host header - possible DNS rebinding attack detected", "Invalid Host", nil),
            (404, "<!doctype html>", "does not offer this", "recent enough"),
            (405, "", "does not offer this", "recent enough"), (500, "<html>", "answered 500", "log"),
            (503, "busy", "answered 503: busy", "Try again"), (429, "{}", "answered 429", "Try again"),
            (500, #"{"error_code":"INTERNAL_ERROR","message":"x (id 7)"}"#, "x (id 7)", "log"),
        ] as [(UInt, String, String, String?)]
    )
    func `every answer says what happened and what to do`(status: UInt, body: String, words: String, hint: String?) {
        let failure = failure(status, body)
        #expect(failure.message.contains(words))
        if let hint {
            #expect(failure.hint?.contains(hint) == true)
        } else {
            #expect(failure.hint == nil)
        }
        #expect(!failure.description.contains("<"))
    }

    @Test func `a redirect is told and not followed`() {
        let failure = ServerFailure.answer(status: 302, location: "https://x/", body: [], address: address)
        #expect(failure.message == "the server at http://127.0.0.1:5000 redirects to 'https://x/'")
    }

    @Test func `an error of the server cannot steer the terminal`() {
        let failure = failure(400, #"{"error_code":"X","message":"a\u001b[2Jb"}"#)
        #expect(failure.description == "error: a\u{FFFD}[2Jb\n")
    }

    @Test func `a server that is not running is told with how to start it`() async throws {
        // Port 1 is reserved, and nothing answers there.
        let client = APIClient(
            address: try ServerAddress("127.0.0.1:1", from: "--server"),
            authorization: nil,
            timeoutSeconds: 5
        )
        let failure = await #expect(throws: CommandFailure.self) { try await client.call(.get, "runs/get") }
        await client.shutdown()
        #expect(failure?.message == "no server is running at http://127.0.0.1:1")
        #expect(failure?.hint?.contains("apus server") == true)
    }

    @Test(arguments: [
        ("http://host:5000", "http://host:5000"), ("https://host/prefix/", "https://host/prefix"),
        ("localhost:8080", "http://localhost:8080"), ("http://[::1]:5000", "http://[::1]:5000"),
        ("http://zoe:secret@host", "http://host"),
    ])
    func `an address is read`(text: String, address: String) throws {
        #expect(try ServerAddress(text, from: "--server").text == address)
    }

    @Test(arguments: [
        "", "sqlite:///m.db", "file:///tmp", "http://", "ftp://host", "http://host/?a=b", "http://h\u{1B}/",
    ])
    func `what is not an address is wrong usage`(text: String) {
        let failure = #expect(throws: CommandFailure.self) { try ServerAddress(text, from: "--server") }
        #expect(failure?.exitCode == .usage)
    }

    @Test func `a password in an address is never shown`() throws {
        let failure = #expect(throws: CommandFailure.self) { try ServerAddress("ftp://zoe:secret@host", from: "x") }
        #expect(failure?.description.contains("secret") == false)
        #expect(try ServerAddress("http://zoe:secret@host", from: "x").userInfo == "zoe:secret")
    }

    @Test func `the command line beats the environment and the first variable wins`() throws {
        let both = Environment(["APUS_SERVER": "http://a", "MLFLOW_TRACKING_URI": "http://b"])
        #expect(try ServerAddress.resolve(option: "http://c", environment: both).text == "http://c")
        #expect(try ServerAddress.resolve(option: nil, environment: both).text == "http://a")
        let second = Environment(["APUS_SERVER": "", "MLFLOW_TRACKING_URI": "http://b"])
        #expect(try ServerAddress.resolve(option: nil, environment: second).text == "http://b")
        #expect(try ServerAddress.resolve(option: nil, environment: Environment([:])).text == ServerAddress.standard)
    }

    @Test func `credentials come from the environment`() throws {
        let named = try ServerAddress("http://zoe:pw@host", from: "x")
        #expect(Credentials.header(environment: Environment([:]), address: address) == nil)
        #expect(Credentials.header(environment: Environment([:]), address: named) == "Basic em9lOnB3")
        let token = Environment(["APUS_TOKEN": "t", "MLFLOW_TRACKING_USERNAME": "a", "MLFLOW_TRACKING_PASSWORD": "b"])
        #expect(Credentials.header(environment: token, address: named) == "Bearer t")
        let pair = Environment(["MLFLOW_TRACKING_USERNAME": "a", "MLFLOW_TRACKING_PASSWORD": "b"])
        #expect(Credentials.header(environment: pair, address: named) == "Basic YTpi")
    }

    @Test func `the shell sees what kind of end it was`() {
        #expect(
            CommandRunner.ending(of: CommandFailure("x", hint: "Do y."), root: ExampleRoot.self)
                == .init(exitCode: 1, output: "", error: "error: x\nDo y.\n")
        )
        #expect(CommandRunner.ending(of: CommandFailure.usage("x"), root: ExampleRoot.self).exitCode == 2)
        #expect(
            CommandRunner.ending(of: CancellationError(), root: ExampleRoot.self)
                == .init(exitCode: 130, output: "", error: "")
        )
        #expect(CommandRunner.ending(of: CommandFailure.brokenPipe, root: ExampleRoot.self).exitCode == 141)
    }

    @Test(arguments: [["nope"], ["runs", "list", "--nope"], ["runs", "list", "--limit", "0"], ["runs", "show"]])
    func `wrong usage ends with 2 and lower-case words on standard error`(words: [String]) throws {
        let error = try #require(throws: (any Error).self) { try ExampleRoot.parseAsRoot(words) }
        let ending = CommandRunner.ending(of: error, root: ExampleRoot.self)
        #expect(ending.exitCode == 2)
        #expect(ending.output.isEmpty)
        #expect(ending.error.hasPrefix("error: "))
        #expect(ending.error.contains("Usage: apus"))
    }

    @Test func `asking for help is no failure`() throws {
        var command = try ExampleRoot.parseAsRoot(["help", "runs", "list"])
        let error = try #require(throws: (any Error).self) { try command.run() }
        let ending = CommandRunner.ending(of: error, root: ExampleRoot.self)
        #expect(ending.exitCode == 0)
        #expect(ending.error.isEmpty)
        #expect(ending.output.contains("EXAMPLES:\n  apus runs list"))
    }
}
