import ApusCommand
import ArgumentParser
import Registry
import Testing
import Tracking

@Suite struct CommandTests {
    @Test func `every example in the help texts is a command line of its command`() throws {
        let examples = CommandExamples.all(of: ExampleRoot.self)
        #expect(examples.count > 50)
        for (line, command) in examples {
            let words = try #require(ShellWords.split(line), "\(line)")
            do {
                let parsed = try ExampleRoot.parseAsRoot(Array(words.dropFirst()))
                #expect(type(of: parsed) == command, "\(line)")
            } catch {
                Issue.record("\(line): \(ExampleRoot.message(for: error))")
            }
        }
    }

    @Test func `every command that does something has an example and an abstract`() {
        func visit(_ command: any ParsableCommand.Type, path: String) {
            let configuration = command.configuration
            if configuration.subcommands.isEmpty {
                #expect(configuration.discussion.contains(CommandExamples.title), "\(path)")
                #expect(configuration.abstract.hasSuffix("."), "\(path)")
            }
            for child in configuration.subcommands {
                visit(child, path: "\(path) \(child.configuration.commandName ?? "?")")
            }
        }
        visit(ExampleRoot.self, path: "apus")
    }

    @Test(arguments: [CompletionShell.bash, .zsh, .fish])
    func `completion scripts know the commands`(shell: CompletionShell) {
        let script = ExampleRoot.completionScript(for: shell)
        for word in ["experiments", "artifacts", "unalias", "compare"] { #expect(script.contains(word)) }
    }

    @Test(arguments: [("a=b", "a", "b"), ("a=", "a", ""), ("a=b=c", "a", "b=c"), ("ä=日", "ä", "日")])
    func `a tag is split at its first equals sign`(text: String, key: String, value: String) throws {
        let pair = try #require(KeyValueArgument(argument: text))
        #expect(pair.key == key)
        #expect(pair.value == value)
    }

    @Test(arguments: ["", "a", "=b"])
    func `a tag without key or equals sign is refused`(text: String) {
        #expect(KeyValueArgument(argument: text) == nil)
    }

    @Test(
        arguments: [
            ("churn", "churn", .model), ("churn/3", "churn", .version("3")),
            ("churn@champion", "churn", .alias("champion")),
            ("models:/churn/3", "churn", .version("3")), ("a@b@c", "a@b", .alias("c")), ("@x", "@x", .model),
            ("x@", "x@", .model),
        ] as [(String, String, ModelAddress.Selector)]
    )
    func `a model is called by name, version or alias`(
        text: String,
        name: String,
        selector: ModelAddress.Selector
    ) throws {
        let reference = try #require(ModelAddress(argument: text))
        #expect(reference.name == name)
        #expect(reference.selector == selector)
    }

    @Test(arguments: ["", "/3", "churn/", "churn/x", "churn/1/2"])
    func `what calls no model is refused`(text: String) {
        #expect(ModelAddress(argument: text) == nil)
    }

    @Test func `what one searches by has a column`() {
        let columns = RunColumn.named(in: [
            "metrics.acc > 0.9 AND params.`a-b` = 'x.y' and status='OK'", "metrics.acc DESC",
        ])
        #expect(columns == [RunColumn(.metrics, "acc"), RunColumn(.params, "a-b")])
    }

    @Test func `runs that differ by less than is shown are still marked`() {
        func run(_ name: String, _ loss: Double) -> JSON {
            [
                "info": ["run_id": .string(name), "run_name": .string(name), "status": "FINISHED"],
                "data": [
                    "metrics": [["key": "loss", "value": .double(loss)]],
                    "params": [["key": "seed", "value": "1"]],
                ],
            ]
        }
        let comparison = RunComparison([run("a", 0.12345678), run("b", 0.12345679)])
        #expect(
            comparison.table(onlyDifferent: true).text(width: nil, isColored: false) == """
                                        a         b
                *  metrics.loss  0.123457  0.123457\n
                """
        )
        #expect(comparison.table(onlyDifferent: false).text(width: nil, isColored: false).contains("\n   params.seed "))
    }

    @Test(arguments: ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".", "a\\b", "a\u{0}b", "a/\u{1B}c"])
    func `a server cannot name a file outside of the folder`(path: String) {
        #expect(throws: CommandFailure.self) { try LocalPath.segments(ofRemote: path) }
    }

    @Test func `a request is encoded for the query or the body`() {
        let get = APIRequest.mlflow(.get, "x", ["a": "b c&d", "n": 3, "none": .null, "l": ["1", "2"]])
        #expect(get.query.map { "\($0.0)=\($0.1)" } == ["a=b c&d", "n=3", "l=1", "l=2"])
        #expect(get.body == nil)
        let post = APIRequest.mlflow(.post, "x", ["a": "b", "none": .null])
        #expect(post.body?.compactText == #"{"a":"b"}"#)
        #expect(PercentEncoding.path("a b/ü#?%") == "a%20b/%C3%BC%23%3F%25")
    }
}
