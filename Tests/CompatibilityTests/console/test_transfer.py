"""What pages send: compressed when a browser takes it, small, and kept by its cache."""

import gzip
import re

import pytest
import requests

pytestmark = pytest.mark.apus_only

PAGES = ["", "/experiments", "/experiments/0", "/datasets", "/models", "/styleguide"]


def raw(url: str, encoding: str) -> tuple[bytes, dict]:
    """The body as it came over the wire."""
    response = requests.get(url, headers={"Accept-Encoding": encoding}, stream=True, timeout=30)
    assert response.status_code == 200
    return response.raw.read(decode_content=False), response.headers


@pytest.mark.parametrize("encoding", ["gzip", "br, gzip;q=0.5", "deflate,  GZIP"])
def test_a_page_is_compressed_for_whoever_takes_it(server, encoding):
    body, headers = raw(f"{server.url}/console/styleguide", encoding)
    assert headers["Content-Encoding"] == "gzip" and headers["Vary"] == "Accept-Encoding"
    plain, _ = raw(f"{server.url}/console/styleguide", "identity")
    assert gzip.decompress(body) == plain
    assert len(body) < len(plain) / 2


@pytest.mark.parametrize("encoding", ["identity", "br", "gzip;q=0", "gzip; q=0.0"])
def test_a_page_is_plain_for_others(server, encoding):
    body, headers = raw(f"{server.url}/console/styleguide", encoding)
    assert "Content-Encoding" not in headers
    assert body.startswith(b"<!doctype html>")


@pytest.mark.parametrize("page", PAGES)
def test_scripts_and_styles_of_a_page_without_charts_are_small(server, page):
    text = requests.get(f"{server.url}/console{page}", timeout=30).text
    assets = set(re.findall(r'(?:src|href)="(console/assets/[^"]+\.(?:js|css))"', text))
    assert any(name.endswith("app.css") for name in assets) and any(name.endswith("shell.js") for name in assets)
    total = 0
    for asset in assets:
        body, headers = raw(f"{server.url}/{asset}", "gzip")
        assert "immutable" in headers["Cache-Control"]
        total += len(body)
    assert total < 60_000
