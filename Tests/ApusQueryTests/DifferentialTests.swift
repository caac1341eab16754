import ApusQuery
import Testing

/// Compares with what MLflow 3.18 answered; see `Differential/ask_mlflow.py`.
@Suite struct DifferentialTests {
    /// Answers that are meant to differ.
    private static let exceptions: Set<String> = [
        // Byte strings are refused as ill-formed, not as items of another type.
        "runs\trun_id IN (b'a')",
        // A message in which MLflow mangles the text.
        "runs\trun_id IN {'a'}",
        // MLflow lets numbers through to the database; PostgreSQL then refuses them.
        "logged_models\tname IN (1, 2)",
    ]

    @Test(arguments: [
        "runs", "runs_order", "experiments", "experiments_order", "registered_models", "registered_models_order",
        "model_versions", "model_versions_order", "logged_models",
    ])
    func `every recorded text is answered as by MLflow`(search: String) {
        let answers = Answer.all.filter { $0.search == search }
        #expect(answers.count >= 60)
        for answer in answers where !Self.exceptions.contains("\(search)\t\(answer.text)") {
            let ours = answer.ours
            if answer.status == 500 {
                // Where MLflow fails, the mistake is still the caller's.
                #expect(ours.status == 400, "\(answer.text)")
            } else {
                #expect(ours.status == answer.status, "\(answer.text)")
                #expect(ours.answer == answer.answer, "\(answer.text)")
            }
        }
    }

    @Test func `the exceptions are still exceptions`() {
        let differing = Answer.all.filter {
            $0.status != 500 && ($0.ours.status, $0.ours.answer) != ($0.status, $0.answer)
        }
        #expect(Set(differing.map { "\($0.search)\t\($0.text)" }) == Self.exceptions)
    }
}
