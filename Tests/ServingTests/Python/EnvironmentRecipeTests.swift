import ApusKernel
import Serving
import Testing

/// What of a model's requirements is taken.
@Suite struct EnvironmentRecipeTests {
    private func recipe(_ requirements: String, python: String? = "3.11.7") throws -> EnvironmentRecipe {
        try TestFolder.with { folder in
            if let python {
                try folder.write(
                    "python_env.yaml",
                    "python: \(python)\nbuild_dependencies:\n- pip==24.0\ndependencies:\n- -r requirements.txt\n"
                )
            }
            try folder.write("requirements.txt", requirements)
            return try EnvironmentRecipe(model: folder.path)
        }
    }

    @Test func `packages are read without comments, and Python by its minor version`() throws {
        let recipe = try recipe("mlflow==3.18.0\n# a comment\n\nscikit-learn==1.9.1  # another\n")
        #expect(recipe.python == "3.11")
        #expect(recipe.requirements == ["mlflow==3.18.0", "scikit-learn==1.9.1"])
    }

    @Test func `models that need the same have one environment`() throws {
        let one = try recipe("mlflow\nnumpy==2.4.6\n")
        let other = try recipe("numpy==2.4.6\nmlflow\n", python: "3.11.9")
        #expect(one.digest == other.digest)
        let older = try recipe("numpy==2.4.5\nmlflow\n")
        let newer = try recipe("numpy==2.4.6\nmlflow\n", python: "3.12.1")
        #expect(one.digest != older.digest)
        #expect(one.digest != newer.digest)
    }

    @Test(arguments: [
        "torch==2.9; python_version > '3'", "pandas[excel]>=2,<3", "pkg @ https://example.org/pkg-1.whl",
        "--extra-index-url https://download.pytorch.org/whl/cpu", "pkg @ git+https://example.org/x.git@abc",
        "numpy ~= 2.0",
    ])
    func `what names a package or a secure index is taken`(line: String) throws {
        #expect(try recipe(line).requirements == [line])
    }

    @Test(arguments: [
        "/etc/passwd", "./evil", "../evil", "file:///etc/passwd", "-e .", "-r /etc/passwd", "-r ../requirements.txt",
        "--index-url http://example.org", "--global-option=x", "pkg @ file:///tmp/x.whl",
        "pkg @ http://example.org/x.whl",
        "numpy --install-option=x", "a\u{0}b", "http://example.org/x.whl", "-c /etc/passwd", "numpy\tx",
    ])
    func `what names a file of this machine, or runs something, is refused`(line: String) {
        #expect(throws: ServingError.self) { try recipe("mlflow\n\(line)\n") }
    }

    @Test(arguments: ["three", "3.x", "../3"])
    func `a version of Python that is none is refused`(version: String) {
        #expect(throws: ServingError.self) { try recipe("mlflow\n", python: version) }
    }

    @Test func `a model without requirements has no environment`() {
        #expect(throws: ServingError.self) { try recipe("# nothing\n", python: nil) }
    }
}
