extension SearchSchema {
    /// The search for registered models.
    package static let registeredModels = SearchSchema(
        dialect: RegistryDialect(
            attributes: SearchAttributes([SearchAttribute("name", .text, takesLists: true)]),
            subject: "registered model",
            numericNames: []
        ),
        orderDialect: RegisteredModelsOrder()
    )
}
