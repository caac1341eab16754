import ApusKernel

#if canImport(Glibc)
    import Glibc
#endif

/// Finds the regular files that a pattern or a folder means.
///
/// Nothing outside of the base is found: links that lead out of it, and whatever is no file, are left out and told of.
struct FileWalk {
    struct Found: Hashable {
        /// From the base on.
        let relative: String
        let path: String
    }

    private static let maximumDepth = 64

    private(set) var found: [Found] = []
    /// Each a sentence.
    private(set) var leftOut: [String] = []
    private(set) var hiddenCount = 0

    private let base: String
    private let realBase: String
    private let isCancelled: () -> Bool
    /// Compared by bytes: names that look alike are two files.
    private var seen: Set<ExactText> = []

    /// Walks from a base, which is a folder.
    ///
    /// - Throws: ``ConnectorError`` for what cannot be read, or `CancellationError`.
    init(_ base: String, _ segments: [GlobPattern.Segment], isCancelled: @escaping () -> Bool) throws {
        self.base = base
        self.isCancelled = isCancelled
        guard let real = Self.real(base) else { throw ConnectorError.file("read", base) }
        realBase = real
        try walk("", segments[...], depth: 0)
        found.sort { $0.relative.utf8.lexicographicallyPrecedes($1.relative.utf8) }
    }

    private func local(_ relative: String) -> String {
        relative.isEmpty ? base : base == "/" ? "/\(relative)" : "\(base)/\(relative)"
    }

    private mutating func walk(_ folder: String, _ segments: ArraySlice<GlobPattern.Segment>, depth: Int) throws {
        guard let first = segments.first else { return }
        guard depth < Self.maximumDepth else { throw ConnectorError("'\(base)' is nested too deeply.") }
        if isCancelled() { throw CancellationError() }
        let rest = segments.dropFirst()
        func below(_ name: String) -> String { folder.isEmpty ? name : "\(folder)/\(name)" }
        switch first {
        case .name(let name): try visit(below(name), rest, depth: depth)
        case .pattern(let tokens):
            for name in try names(in: folder) where GlobPattern.matches(name, tokens) {
                try visit(below(name), rest, depth: depth)
            }
            // Only where all is meant is a hidden file something that was left out.
            if tokens == [.anyText] { hiddenCount += try names(in: folder).count { $0.hasPrefix(".") } }
        case .anyFolders:
            try walk(folder, rest, depth: depth + 1)
            for name in try names(in: folder) where !name.hasPrefix(".") {
                var status = stat()
                let path = below(name)
                guard lstat(local(path), &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR { try walk(path, segments, depth: depth + 1) }
            }
        }
    }

    /// Takes a file, or goes on in a folder when there is more to match.
    private mutating func visit(_ path: String, _ rest: ArraySlice<GlobPattern.Segment>, depth: Int) throws {
        var own = stat()
        // It went away since its name was read.
        guard lstat(local(path), &own) == 0 else { return }
        if rest.isEmpty { return try take(path, own) }
        var target = stat()
        guard stat(local(path), &target) == 0, target.st_mode & S_IFMT == S_IFDIR else { return }
        if own.st_mode & S_IFMT == S_IFLNK, !isInside(path) {
            return leftOut.append("'\(local(path))' is a link to a folder outside of '\(base)', and was left out.")
        }
        try walk(path, rest, depth: depth + 1)
    }

    private mutating func take(_ path: String, _ own: stat) throws {
        guard seen.insert(ExactText(path)).inserted else { return }
        var place = local(path)
        switch own.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: return
        case S_IFLNK:
            var target = stat()
            guard stat(local(path), &target) == 0 else {
                return leftOut.append("'\(local(path))' is a link to nothing, and was left out.")
            }
            // What is in a folder comes under its own name.
            if target.st_mode & S_IFMT == S_IFDIR { return }
            guard isInside(path) else {
                return leftOut.append("'\(local(path))' is a link to outside of '\(base)', and was left out.")
            }
            guard target.st_mode & S_IFMT == S_IFREG else {
                return leftOut.append("'\(local(path))' is not a regular file, and was left out.")
            }
            place = Self.real(place) ?? place
        default: return leftOut.append("'\(local(path))' is not a regular file, and was left out.")
        }
        found.append(Found(relative: path, path: place))
    }

    /// Whether what a link leads to is below the base.
    private func isInside(_ path: String) -> Bool {
        guard let real = Self.real(local(path)) else { return false }
        return realBase == "/" || real.utf8.starts(with: "\(realBase)/".utf8)
    }

    /// The path without symbolic links; nil when it leads to nothing.
    static func real(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private mutating func names(in folder: String) throws -> [String] {
        guard let stream = opendir(local(folder)) else { throw ConnectorError.file("read", local(folder)) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let name else {
                let sentence = "'\(local(folder))' has a file whose name is no UTF-8, which was left out."
                if !leftOut.contains(sentence) { leftOut.append(sentence) }
                continue
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
