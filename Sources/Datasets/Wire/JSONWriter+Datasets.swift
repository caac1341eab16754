import ApusJSON
import ApusVault
import Tracking

extension JSONWriter {
    mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// Writes a dataset as an object.
    mutating func dataset(_ dataset: Dataset) {
        object { json in
            json.member("name", dataset.name)
            json.member("description", dataset.description)
            json.member("default_branch", dataset.defaultBranch)
            json.member("creation_time", dataset.created)
            json.member("last_updated_time", dataset.updated)
            if let head = dataset.head {
                json.key("head")
                json.version(head)
            }
        }
    }

    /// Writes a version as an object.
    mutating func version(_ version: DatasetVersion) {
        object { json in
            json.member("version", version.number)
            json.member("identifier", version.identifier.hex)
            json.member("root", version.root.hex)
            if let parent = version.parent { json.member("parent", parent) }
            json.member("message", version.message)
            json.member("author", version.author)
            json.member("creation_time", version.created)
            json.member("files", version.fileCount)
            json.member("bytes", version.sizeBytes)
            json.key("origin")
            json.object { json in
                json.member("kind", version.origin.kind)
                if !version.origin.detail.isEmpty { json.member("detail", version.origin.detail) }
            }
        }
    }

    /// Writes a branch or tag as an object.
    mutating func ref(_ ref: DatasetRef) {
        object { json in
            json.member("name", ref.name)
            json.member("kind", ref.kind.rawValue)
            json.member("version", ref.version)
            json.member("last_updated_time", ref.updated)
        }
    }

    /// Writes a file as an object.
    mutating func file(_ file: FileEntry) {
        object { json in
            json.member("path", file.path.text)
            json.member("sha256", file.digest.hex)
            if let md5 = file.md5 { json.member("md5", md5.hex) }
            json.member("bytes", file.sizeBytes)
            if file.isExecutable { json.member("executable", true) }
        }
    }
}

extension JSONWriter {
    /// Writes what became of a file as an object.
    mutating func difference(_ difference: FileDifference) {
        object { json in
            json.member("path", difference.path.text)
            switch difference {
            case .added(let file):
                json.member("change", "added")
                json.key("to")
                json.file(file)
            case .removed(let file):
                json.member("change", "removed")
                json.key("from")
                json.file(file)
            case .changed(let from, let to):
                json.member("change", "changed")
                json.key("from")
                json.file(from)
                json.key("to")
                json.file(to)
            }
        }
    }
}
