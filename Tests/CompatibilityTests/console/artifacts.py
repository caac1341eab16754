"""Runs with files, for tests of their previews."""

import json
from urllib.parse import quote

from support.api import Api

FIGURE = {
    "data": [{"type": "bar", "x": ["a", "b"], "y": [1, 2], "name": "<b>one</b>"}],
    "layout": {"title": {"text": "Drawn"}},
}
MODEL = """flavors:
  python_function:
    loader_module: mlflow.sklearn
  sklearn:
    sklearn_version: 1.9.1
mlflow_version: 3.18.0
signature:
  inputs: '[{"type": "double", "name": "width", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: '[{"name": "temperature", "default": 0.5, "shape": null, "type": "double"}]'
"""


def page_with(figure: dict, padding: int = 0) -> str:
    """What plotly's `write_html` makes: a library, then a call with the figure."""
    return (f"<html><body><div id='plot'></div><script>/*{'x' * padding}*/window.Plotly={{newPlot(){{}}}};"
            f"Plotly.newPlot(\"plot\", {json.dumps(figure['data'])}, {json.dumps(figure['layout'])}, {{}})</script></body></html>")


def run_with(api: Api, files: dict[str, str | bytes], **fields) -> str:
    """A finished run that has these files, by their paths."""
    experiment = api.experiment()
    run = api.run(experiment, **fields)
    for path, content in files.items():
        body = content if isinstance(content, bytes) else content.encode()
        address = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{quote(path)}"
        response = api.send("PUT", address, data=body)
        assert response.status_code == 200, (path, response.text)
    api.post("runs/update", run_id=run, status="FINISHED", end_time=1_700_000_000_000)
    return run
