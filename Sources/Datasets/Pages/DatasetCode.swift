import ApusConsole

/// How the files of a dataset are got, in the words of each client.
struct DatasetCode {
    let name: String
    /// What names the version, such as `main` or `v3`.
    let reference: String
    /// Whether the reference is what clients take when none is named.
    let isDefault: Bool
    /// Such as `http://127.0.0.1:5000/ml`.
    let address: String

    struct Sample {
        let title: String
        let text: String
    }

    var samples: [Sample] {
        [
            Sample(
                title: "apus",
                text: "export APUS_SERVER=\(address)\napus data checkout \(name)\(isDefault ? "" : "@\(reference)")"
            ),
            Sample(
                title: "curl, as one tar archive",
                text: """
                    mkdir -p \(name)
                    curl -fsS \(address)/api/v1/datasets/\(name)/versions/\(reference)/archive | tar -x -C \(name)
                    """
            ),
            Sample(title: "DVC", text: "dvc remote add -d apus \(address)/dvc/\(name)\ndvc pull"),
            Sample(title: "Git LFS", text: "git config lfs.url \(address)/lfs/\(name)\ngit lfs pull"),
        ]
    }

    var html: HTML {
        Element.div(.class("samples")) {
            for (index, sample) in samples.enumerated() {
                Element.details(index == 0 ? Attribute("open") : nil) {
                    Element.summary() { sample.title }
                    Component.code(sample.text, language: "bash")
                }
            }
        }
    }
}
