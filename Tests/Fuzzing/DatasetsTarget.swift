import Datasets

/// The readers of datasets that are fuzzed, and what must hold whatever they are given.
enum DatasetsTarget: String, CaseIterable {
    case treeBlock = "tree-block"
    case filePath = "file-path"

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        switch self {
        case .treeBlock:
            // What is a block has one spelling.
            guard let block = try? TreeBlock(decoding: bytes) else { return }
            precondition(block.encoded().elementsEqual(bytes))
        case .filePath:
            let path = try FilePath(validating: String(decoding: bytes, as: UTF8.self))
            for segment in path.text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
                precondition(!segment.isEmpty && !segment.elementsEqual("..".utf8) && !segment.elementsEqual(".".utf8))
                precondition(segment.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\\") })
            }
        }
    }
}
