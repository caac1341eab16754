"""Judges a CSV file by a suite with the real Great Expectations, on pandas; run by the Python that has it.

    python great_expectations_judge.py FILE SUITE.json KEY...  ->  the validation result as JSON
"""

import json
import logging
import sys
import warnings


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    import great_expectations as gx
    import pandas as pd
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    path, suite_path, *keys = sys.argv[1:]
    # Only an empty cell is missing, as DuckDB reads it.
    frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    suite = json.loads(open(suite_path).read())
    form = {"result_format": "SUMMARY", "partial_unexpected_count": 20}
    if keys:
        form["unexpected_index_column_names"] = keys
    results = []
    # One by one: an expectation that raises takes others with it otherwise.
    for configuration in suite["expectations"]:
        try:
            expectation = ExpectationConfiguration(
                type=configuration["type"], kwargs=configuration["kwargs"]
            ).to_domain_obj()
        except ValueError as refusal:
            results.append({"success": False, "result": {}, "raised": True, "refused": str(refusal)})
            continue
        result = batch.validate(expectation, result_format=form).to_json_dict()
        information = result["exception_info"]
        raised = information.get("raised_exception")
        if raised is None:
            raised = any(one["raised_exception"] for one in information.values())
        results.append({"success": result["success"], "result": result["result"], "raised": raised})
    json.dump(results, sys.stdout, default=lambda value: value.item() if hasattr(value, "item") else str(value))


main()
