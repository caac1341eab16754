import ApusKernel

/// One kind of search: which fields it knows, how they may be compared, and how mistakes are worded.
///
/// The language is the one of MLflow 3.18 (comparisons joined by `AND`) with the extension of `OR` and parentheses,
/// where `AND` binds tighter. Whatever MLflow refuses and the extension does not explain is refused with MLflow's
/// message. Where MLflow prints a set of names in random order, names are printed in alphabetical order.
///
/// - SeeAlso: https://mlflow.org/docs/latest/ml/search/search-runs/
package struct SearchSchema: Sendable {
    /// The attributes that may be compared, by canonical name.
    package var attributes: [SearchAttribute] { dialect.attributes.all }
    let dialect: any SearchDialect
    let orderDialect: any OrderDialect

    /// Reads a filter.
    ///
    /// Takes time linear in the length of `filter`.
    ///
    /// - Parameter filter: The text of the filter, at most 64 KiB.
    /// - Returns: The canonical condition; nil when the text is empty or blank or has no comparison.
    /// - Throws: `RequestError` with `invalidParameterValue`.
    package func parse(filter: String) throws -> Filter? {
        guard filter.utf8.count <= SearchLimits.filterBytes else {
            throw RequestError.invalid("The filter is longer than \(SearchLimits.filterBytes) bytes.")
        }
        let source = SourceText(filter)
        guard !source.isBlank else { return nil }
        var parser = FilterParser(source: source, dialect: dialect)
        return try parser.filter()
    }

    /// What ``parse(filter:)`` would throw, and which part of the text it is about; nil for a good filter.
    package func mistake(in filter: String) -> FilterMistake? {
        do {
            _ = try parse(filter: filter)
            return nil
        } catch {
            let message = (error as? any PublicError)?.message ?? "The filter cannot be read."
            guard filter.utf8.count <= SearchLimits.filterBytes else {
                return FilterMistake(message: message, range: nil)
            }
            let source = SourceText(filter)
            var parser = FilterParser(source: source, dialect: dialect)
            _ = try? parser.filter()
            return FilterMistake(message: message, range: parser.mistake.map(source.codeUnits))
        }
    }

    /// Reads the order that a search asks for.
    ///
    /// - Parameter orderBy: Clauses such as `metrics.loss DESC` or `name`, the most significant first.
    /// - Returns: The terms as asked, without tie-breakers.
    /// - Throws: `RequestError` with `invalidParameterValue`.
    package func parse(orderBy: [String]) throws -> [OrderTerm] {
        guard orderBy.count <= SearchLimits.orderTerms else {
            throw RequestError.invalid("`order_by` has more than \(SearchLimits.orderTerms) fields.")
        }
        var terms: [OrderTerm] = []
        for clause in orderBy {
            let parsed = try OrderClause(parsing: clause)
            let term = try orderDialect.term(parsed.field, ascending: parsed.ascending)
            let isRepeated = terms.contains { $0.entity == term.entity && $0.key == term.key }
            if orderDialect.refusesDuplicates && isRepeated {
                throw RequestError.invalid("`order_by` contains duplicate fields: \(PythonText.list(orderBy))")
            }
            terms.append(term)
        }
        return terms
    }

    /// Reads the order that a search of logged models asks for.
    ///
    /// - Parameter orderBy: Objects such as `{"field_name": "metrics.loss"}`, the most significant first.
    /// - Returns: The terms as asked, without tie-breakers.
    /// - Throws: `RequestError` with `invalidParameterValue`.
    package func parse(orderBy: [OrderRequest]) throws -> [OrderTerm] {
        guard orderBy.count <= SearchLimits.orderTerms else {
            throw RequestError.invalid("`order_by` has more than \(SearchLimits.orderTerms) fields.")
        }
        return try orderBy.map { request in
            let term = try orderDialect.term(request.fieldName, ascending: request.ascending)
            return OrderTerm(
                term.entity,
                term.key,
                ascending: term.ascending,
                datasetName: request.datasetName,
                datasetDigest: request.datasetDigest
            )
        }
    }
}
