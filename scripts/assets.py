"""Makes files that the build puts into the binary, out of Debian's packages: icons, and colours for code.

Only what the Console uses is taken. The packages' versions are pinned here; apt checks their digests.
"""

import gzip
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / ".build-assets"
VERSIONS = {"bootstrap-icons": "1.10.3+dfsg-1", "libjs-highlight.js": "9.18.5+dfsg1-2"}
LANGUAGES = ["bash", "cpp", "css", "diff", "dockerfile", "go", "ini", "java", "javascript", "json", "makefile", "markdown",
             "python", "r", "rust", "sql", "tex", "typescript", "xml", "yaml"]


def icons() -> str:
    """One file with a symbol for each icon that `Icon.swift` names."""
    source = (ROOT / "Sources/ApusConsole/Components/Icon.swift").read_text()
    symbols = []
    for name in sorted(set(re.findall(r'case \w+ = "([a-z0-9-]+)"', source))):
        drawing = Path(f"/usr/share/bootstrap-icons/svg/{name}.svg").read_text()
        box, content = re.fullmatch(r'<svg [^>]*viewBox="([^"]+)"[^>]*>(.*)</svg>\s*', drawing, re.DOTALL).groups()
        symbols.append(f'<symbol id="{name}" viewBox="{box}">{"".join(line.strip() for line in content.splitlines())}</symbol>\n')
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{"".join(symbols)}</svg>\n'


def highlighter() -> str:
    """highlight.js with some of its languages, without comments and indentation."""
    source = Path("/usr/share/javascript/highlight.js/highlight.js").read_text()
    core, *languages = re.split(r"(?m)^hljs\.registerLanguage\((?=')", source)
    named = {re.match(r"'([^']+)'", text).group(1): text for text in languages}
    whole = core + "".join(f"hljs.registerLanguage({named[name]}" for name in LANGUAGES)
    # No text of it goes over more than one line, so this changes nothing else.
    lines = (line.strip() for line in re.sub(r"^[ \t]*/\*.*?\*/[ \t]*\n", "", whole, flags=re.DOTALL | re.MULTILINE).splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def main() -> None:
    for package, wanted in VERSIONS.items():
        found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True).stdout
        if found != wanted:
            sys.exit(f"{package} {wanted} is needed, but there is {found or 'none'}: see scripts/assets.py")
    OUTPUT.mkdir(exist_ok=True)
    for name, content in [("icons.svg", icons().encode()), ("highlight.js.gz", gzip.compress(highlighter().encode(), 9, mtime=0))]:
        path = OUTPUT / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


main()
