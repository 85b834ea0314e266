"""docs/faults.md: the tables between its markers are made by tests, the text around them by people."""

import re
from pathlib import Path
from typing import Dict, List

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
HEAD = "| the master | exit | published | deleted | told | tried again |\n| --- | --- | --- | --- | --- | --- |\n"

Tables = Dict[str, List[str]]  # heading -> rows


def written(tables: Tables) -> str:
    return "".join(f"### {title}\n\n{HEAD}" + "".join(row + "\n" for row in rows) + "\n" for title, rows in tables.items())


def parts(name: str) -> "re.Match[str]":
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.fullmatch(rf"(.*<!-- {name}: [^\n]*-->\n\n)(.*)(<!-- end of {name} -->.*)", text, re.DOTALL)
    assert found is not None, f"{DOCUMENT}: no <!-- {name}: ... --> and <!-- end of {name} -->"
    return found


def rewrite(tables: Tables, name: str = "one pass") -> None:
    found = parts(name)
    DOCUMENT.write_text(found.group(1) + written(tables) + found.group(3), encoding="utf-8")


def missing_tests() -> List[str]:
    """Unit tests that the document names and nobody wrote."""
    case = re.compile(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
    known = {"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))
             for source in (DOCUMENT.parents[1] / "tests" / "unit").rglob("*.cpp")
             for literals in case.findall(source.read_text(encoding="utf-8"))}
    named = re.findall(r'"([^"]+)"', DOCUMENT.read_text(encoding="utf-8").split("<!-- end of one pass -->")[1])
    return [name for name in named if name not in known] + ([] if named else ["none is named"])


def compare(tables: Tables, name: str = "one pass") -> List[str]:
    """The lines of each side that the other does not have."""
    ours, theirs = written(tables).splitlines(), parts(name).group(2).splitlines()
    return ([f"the document lacks: {line}" for line in ours if line not in theirs] +
            [f"nothing does this: {line}" for line in theirs if line not in ours] +
            ([] if ours == theirs else ["tests/e2e/test_faults.py --write renews docs/faults.md"]))
