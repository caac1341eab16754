extension ModelListing {
    /// The reason of a version that was unloaded on purpose, as Triton words it.
    package static let unloaded = "unloaded"
}
