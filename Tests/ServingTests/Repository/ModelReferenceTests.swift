import Serving
import Testing

@Suite struct ModelReferenceTests {
    @Test(arguments: [
        ("models:/wine/3", ModelReference.registered(name: "wine", .version("3"))),
        ("models:/wine@champion", .registered(name: "wine", .alias("champion"))),
        ("models:/a@b@champion", .registered(name: "a@b", .alias("champion"))),
        ("models:/wine/Production", .registered(name: "wine", .stage("Production"))),
        ("models:/wine/latest", .registered(name: "wine", .latest)),
        ("models:/wine", .registered(name: "wine", .latest)),
        ("models:/m-0123456789abcdef", .logged("m-0123456789abcdef")),
        ("runs:/abc/model", .run("abc", path: "model")),
        ("runs:/abc/a/b", .run("abc", path: "a/b")),
        ("file:///srv/wine", .local("/srv/wine")),
        ("wine.onnx", .local("wine.onnx")),
        ("./models/wine", .local("./models/wine")),
    ])
    func `addresses are read as MLflow's users write them`(_ text: String, _ reference: ModelReference) {
        #expect(ModelReference(argument: text) == reference)
    }

    @Test(arguments: [
        "", "models:/", "models:/wine/", "models:/a/b/c", "models:/wine@", "runs:/abc", "s3://bucket/x", "file://host",
    ])
    func `what leads nowhere is refused`(_ text: String) {
        #expect(ModelReference(argument: text) == nil)
    }
}
