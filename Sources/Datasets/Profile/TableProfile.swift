package import ApusSketch
import ApusTable

/// What is known about the columns of a table, in memory that does not depend on its rows.
///
/// Profiles of files or shards are merged; counts, extremes and ``ColumnProfile/distinct`` are then those of the whole,
/// the rest keeps its bounds.
package struct TableProfile: Sendable, Equatable {
    package var rowCount = 0
    /// In the order of the table.
    package var columns: [ColumnProfile] = []
    /// The names of the columns of numbers whose values are in ``sample``, in order.
    package var sampleColumns: [String] = []
    /// Some rows, each as likely as any other; NaN for what is missing.
    package var sample = ReservoirSample<[Double]>(capacity: 1, seed: 0)

    package init() {}

    /// The column of that name.
    package subscript(name: String) -> ColumnProfile? { columns.first { $0.name == name } }

    /// How strongly the columns of numbers go together in ``sample``; its rows and columns are ``sampleColumns``.
    package func correlations(_ method: CorrelationMatrix.Method) -> CorrelationMatrix {
        CorrelationMatrix(method, rows: sample.elements, columnCount: sampleColumns.count)
    }
}
