import ApusConsole
import ApusVault

/// What is known of a file besides its content.
struct FileFacts {
    let file: FileEntry

    var html: HTML {
        Element.dl(.class("kv")) {
            fact("Path") { Element.code() { DatasetViews.shown(file.path.text) } }
            fact("Size") { DatasetViews.size(file.sizeBytes) }
            fact("SHA-256") { Element.code() { file.digest.hex } }
            if let md5 = file.md5 { fact("MD5") { Element.code() { md5.hex } } }
            if file.isExecutable { fact("Permission") { "may be executed" } }
        }
    }

    @HTMLBuilder private func fact(_ name: String, @HTMLBuilder _ value: () -> HTML) -> HTML {
        Element.dt() { name }
        Element.dd(content: value)
    }
}
