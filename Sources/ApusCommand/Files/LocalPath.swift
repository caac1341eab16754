import Glibc

/// Names of local files.
package enum LocalPath {
    /// The deepest folder that is walked into.
    private static let maximumDepth = 64

    /// What stands after the last slash; nil for the root, `.` and `..`, which name nothing new.
    package static func name(_ path: String) -> String? {
        guard let name = path.split(separator: "/").last, name != ".", name != ".." else { return nil }
        return String(name)
    }

    /// A server's path as segments that cannot climb out of the folder they are put in.
    ///
    /// - Throws: ``CommandFailure`` for an empty path, an absolute one, and for `.`, `..`, `\` and control characters.
    package static func segments(ofRemote path: String) throws -> [String] {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let isSafe = segments.allSatisfy { segment in
            !segment.isEmpty && segment != "." && segment != ".." && segment.utf8.count <= 255
                && segment.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "\\" }
        }
        guard isSafe else {
            throw CommandFailure("the server names a file '\(path)', which is not safe to write")
        }
        return segments
    }

    /// The absolute path of what is there, without links.
    ///
    /// - Throws: ``CommandFailure`` when there is nothing.
    package static func resolved(_ path: String) throws -> String {
        guard let found = realpath(path, nil) else { throw CommandFailure.file("find", path) }
        defer { free(found) }
        return String(cString: found)
    }

    /// Whether there is a folder of that name.
    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes the folders `segments` below `folder`, and `folder` itself, where they are missing.
    ///
    /// Only real folders below `folder` are gone into: a symbolic link there could lead anywhere.
    package static func makeFolders(_ segments: some Sequence<String>, below folder: String) throws {
        var path = folder
        if !isFolder(path), mkdir(path, 0o777) != 0 { throw CommandFailure.file("make", path) }
        for segment in segments {
            path += "/\(segment)"
            var status = stat()
            if lstat(path, &status) == 0 {
                guard status.st_mode & S_IFMT == S_IFDIR else { throw CommandFailure("'\(path)' is not a folder") }
            } else if mkdir(path, 0o777) != 0 {
                throw CommandFailure.file("make", path)
            }
        }
    }

    /// The files below a folder as paths relative to it, sorted.
    ///
    /// Links to files count as files, links to folders are left out, as they may lead in circles.
    package static func files(below folder: String) throws -> [String] {
        var found: [String] = []
        var waiting = [(path: "", depth: 0)]
        while let (relative, depth) = waiting.popLast() {
            guard depth < maximumDepth else { throw CommandFailure("'\(folder)' is nested too deeply") }
            for name in try names(in: relative.isEmpty ? folder : "\(folder)/\(relative)") {
                let path = relative.isEmpty ? name : "\(relative)/\(name)"
                var own = stat()
                var target = stat()
                guard lstat("\(folder)/\(path)", &own) == 0, stat("\(folder)/\(path)", &target) == 0 else { continue }
                if own.st_mode & S_IFMT == S_IFDIR {
                    waiting.append((path, depth + 1))
                } else if target.st_mode & S_IFMT == S_IFREG {
                    found.append(path)
                }
            }
        }
        return found.sorted()
    }

    private static func names(in folder: String) throws -> [String] {
        guard let stream = opendir(folder) else { throw CommandFailure.file("read", folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
