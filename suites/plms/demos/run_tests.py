"""Run the checks of a project and report each in JUnit's XML: run_tests.py PROJECT REPORT.

Exits with 1 where one failed, or where there was none.
"""

from __future__ import annotations

import io
import sys
import unittest
from pathlib import Path
from xml.etree import ElementTree


def main(project: str, report: str) -> int:
    """Run, report, and answer the exit status."""
    sys.path.insert(0, project)
    sys.dont_write_bytecode = True
    suite = unittest.defaultTestLoader.loadTestsFromName("checks")
    names = [test.id() for test in _tests(suite)]
    result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    bad = {test.id(): why for test, why in (*result.failures, *result.errors)}
    root = ElementTree.Element("testsuite", name="checks", tests=str(result.testsRun))
    for name in names:
        case = ElementTree.SubElement(root, "testcase", name=name)
        if name in bad:
            ElementTree.SubElement(case, "failure").text = bad[name]
    Path(report).write_bytes(ElementTree.tostring(root))
    return 0 if names and result.wasSuccessful() else 1


def _tests(suite: unittest.TestSuite) -> list[unittest.TestCase]:
    cases: list[unittest.TestCase] = []
    for test in suite:
        cases += _tests(test) if isinstance(test, unittest.TestSuite) else [test]
    return cases


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
