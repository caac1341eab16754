package import ApusKernel

/// Makes names such as `patient-heron-412` for runs and logged models that were given none.
package enum RunNames {
    private static let adjectives = [
        "able", "agile", "amber", "ample", "apt", "bold", "brave", "bright", "brisk", "calm", "candid", "careful",
        "clean", "clear", "clever", "cool", "crisp", "curious", "daring", "deft", "eager", "early", "exact", "fair",
        "fast", "fine", "firm", "fond", "frank", "free", "fresh", "gentle", "glad", "golden", "good", "grand", "happy",
        "hardy", "honest", "humble", "keen", "kind", "lively", "loyal", "lucid", "lucky", "merry", "mild", "neat",
        "noble", "open", "patient", "placid", "polite", "prime", "proud", "quick", "quiet", "rapid", "ready", "robust",
        "rosy", "serene", "sharp", "silent", "sincere", "smart", "smooth", "solid", "sound", "spry", "stable", "steady",
        "sunny", "swift", "tidy", "tranquil", "true", "upbeat", "valiant", "vivid", "warm", "wise", "witty", "zesty",
    ]
    private static let nouns = [
        "ant", "auk", "bat", "bear", "bee", "bison", "boar", "cat", "cod", "colt", "coot", "crab", "crane", "crow",
        "deer", "dove", "duck", "eagle", "eel", "egret", "elk", "ermine", "falcon", "fawn", "finch", "fox", "frog",
        "gecko", "goat", "goose", "grouse", "gull", "hare", "hawk", "heron", "horse", "ibex", "ibis", "jay", "kite",
        "koala", "lark", "lemur", "lion", "lynx", "mink", "mole", "moose", "moth", "mouse", "mule", "newt", "otter",
        "owl", "panda", "perch", "pike", "pony", "quail", "ram", "raven", "robin", "rook", "salmon", "seal", "shad",
        "shrew", "skink", "snail", "sparrow", "squid", "stork", "swan", "swift", "tern", "tiger", "toad", "trout",
        "vole", "wasp", "whale", "wolf", "wren", "yak", "zebra",
    ]

    /// A name of at most 20 characters.
    package static func make(_ source: any IdentifierSource) -> String {
        let adjective = adjectives[source.below(adjectives.count)]
        let noun = nouns[source.below(nouns.count)]
        return "\(adjective)-\(noun)-\(source.below(1001))"
    }
}
