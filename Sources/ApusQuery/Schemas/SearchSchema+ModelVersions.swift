extension SearchSchema {
    /// The search for model versions.
    package static let modelVersions = SearchSchema(
        dialect: RegistryDialect(
            attributes: SearchAttributes([
                SearchAttribute("name", .text, takesLists: true),
                SearchAttribute("version_number", .wholeNumber),
                SearchAttribute("run_id", .text, takesLists: true),
                SearchAttribute("source_path", .text),
            ]),
            subject: "model version",
            numericNames: ["creation_timestamp", "last_updated_timestamp", "version_number"]
        ),
        orderDialect: ModelVersionsOrder()
    )
}
