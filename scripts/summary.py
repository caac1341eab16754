"""Prints `N passed, N failed` for the named groups of a results directory; fails when something did."""

import sys
from pathlib import Path
from xml.etree import ElementTree


def read(path: Path) -> list[ElementTree.Element]:
    """The test cases of a results file; none when the runner died while it wrote."""
    try:
        return list(ElementTree.parse(path).iter("testcase"))
    except ElementTree.ParseError:
        return []


def main(directory: Path, groups: list[str]) -> int:
    passed = failed = 0
    for group in groups:
        # Swift Testing adds a suffix to the name it is given.
        files = [path for path in (directory / f"{group}-swift-testing.xml", directory / f"{group}.xml") if path.exists()]
        cases = [case for path in files[:1] for case in read(path)]
        broken = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
        skipped = [case for case in cases if case.find("skipped") is not None and case not in broken]
        passed += len(cases) - len(broken) - len(skipped)
        failed += len(broken)
        marks = directory / "failed"
        if not cases or (not broken and marks.exists() and group in marks.read_text().lower()):
            # The runner itself died, or never began.
            failed += 1
        print(f"    {group}: {len(cases) - len(broken) - len(skipped)} passed, {len(broken)} failed, {len(skipped)} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
