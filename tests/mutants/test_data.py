"""Mutants of data: SQL, YAML, JSON, settings, units, crontabs and scripts."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import yaml

from pytest_rollout import mutants
from pytest_rollout.mutants import schedules, sql, values
from tests.mutants.making import changes, made, texts


def edited(text: str) -> set[str]:
    """A value with each of its changes, but not as another name."""
    return {edit.of(text) for edit in values.of_value(text, name="")}


VALUES = {
    "5": {"6", "50"},
    "0": {"1"},
    "1": {"2"},
    "-3": {"-2", "-30"},
    "02": {"03", "020"},
    "0.95": {"0.96", "9.50"},
    "1e3": {"1.0E+4"},
    "true": {"false"},
    "No": {"Yes"},
    "ON": {"OFF"},
    "02:00": {"03:00", "14:00"},
    "23:30": {"00:30", "11:30"},
    "30s": {"31s", "300s", "30ms"},
    "250 ms": {"251 ms", "2500 ms", "250 s"},
    "5m": {"6m", "50m", "5s"},
    "20%": {"21%", "200%", "20"},
    "512MB": {"513MB", "5120MB", "512GB"},
    "1.4.0": {"1.4.1"},
    "2024-02-28": {"2024-02-29"},
    "2025-11-12 14:00:00": {
        *("2025-11-13 14:00:00", "2025-11-12 15:00:00", "2025-11-12 02:00:00"),
    },
    "> 3": {">= 3", "> 4", "> 30"},
    "a < 0.5 and b >= 2": {
        *("a <= 0.5 and b >= 2", "a < 0.6 and b >= 2", "a < 5.0 and b >= 2"),
        *("a < 0.5 and b > 2", "a < 0.5 and b >= 3", "a < 0.5 and b >= 20"),
        "a < 0.5 or b >= 2",
    },
    "rate(x[5m]) == 0": {
        *("rate(x[6m]) == 0", "rate(x[50m]) == 0", "rate(x[5s]) == 0"),
        *("rate(x[5m]) != 0", "rate(x[5m]) == 1"),
    },
    "web-1": set(),
    "127.0.0.1:8080": set(),
    "#plms-alerts": set(),
    "salt and pepper": set(),
    "a1b2": set(),
}


@pytest.mark.parametrize("text", VALUES)
def test_a_value_is_changed_as_what_it_is(text: str) -> None:
    assert edited(text) == VALUES[text]


@pytest.mark.parametrize("text", ["#plms-alerts", "https://x/y", "Ada Lovelace", "1.2 or so"])
def test_a_text_is_also_changed_as_a_name(text: str) -> None:
    assert f"{text}-other" in {edit.of(text) for edit in values.of_value(text)}


def test_each_unit_becomes_another_one() -> None:
    for unit in set(values._UNITS) - {"%"}:
        (other,) = {
            edit.replacement for edit in values.of_value(f"7{unit}") if edit.operator == "unit"
        }
        assert other != unit
        assert other in values._UNITS


@pytest.mark.parametrize("text", ["5", "true", "30s", "02:00", "0 2 * * *", "> 3", " "])
def test_a_measure_is_no_name(text: str) -> None:
    assert not any("-other" in edit.of(text) for edit in values.of_value(text))


SCHEDULES = {
    "0 2 * * *": {
        *("1 2 * * *", "* 2 * * *", "0 3 * * *", "0 * * * *"),
        *("0 2 1 * *", "0 2 * 1 *", "0 2 * * 1"),
    },
    "*/5 * * * 1-5": {
        *("*/10 * * * 1-5", "* * * * 1-5", "*/5 1 * * 1-5", "*/5 * 1 * 1-5"),
        *("*/5 * * 1 1-5", "*/5 * * * *"),
    },
    "59 23 31 12 *": {
        *("0 23 31 12 *", "* 23 31 12 *", "59 0 31 12 *", "59 * 31 12 *", "59 23 1 12 *"),
        *("59 23 * 12 *", "59 23 31 1 *", "59 23 31 * *", "59 23 31 12 1"),
    },
    "@daily": {"@weekly"},
    "1 2 3 4 5": set(),
    "* * *": set(),
    "2025-11-12 14:00:00": set(),
    "14:00": set(),
}


@pytest.mark.parametrize("text", SCHEDULES)
def test_a_schedule_is_known_and_changed(text: str) -> None:
    assert {edit.of(text) for edit in schedules.of_text(text)} == SCHEDULES[text]


CALENDARS = {
    "*-*-* 02:00:00 America/New_York": {
        *("*-*-* 03:00:00 America/New_York", "*-*-* *:00:00 America/New_York"),
        *("*-*-* 02:01:00 America/New_York", "Mon *-*-* 02:00:00 America/New_York"),
        *("*-*-01 02:00:00 America/New_York", "*-*-* 02:00:00", "*-*-* 02:00:00 UTC"),
    },
    "Mon..Fri 06:30": {
        *("Mon..Fri 07:30", "Mon..Fri *:30", "Mon..Fri 06:31", "06:30"),
        "Mon..Fri 06:30 Asia/Tokyo",
    },
    "daily": {"weekly"},
    "never": set(),
}


@pytest.mark.parametrize("text", CALENDARS)
def test_a_calendar_expression_is_changed(text: str) -> None:
    assert {edit.of(text) for edit in schedules.calendar(text)} == CALENDARS[text]


def queries(text: str) -> set[str]:
    return {" ".join(edit.of(text).split()) for edit in sql.of_sql(text)}


SQL = {
    "SELECT a FROM b WHERE c = 'd' AND e >= 2": {
        *("SELECT a FROM b", "SELECT a FROM b WHERE c <> 'd' AND e >= 2"),
        *("SELECT a FROM b WHERE c = 'd-other' AND e >= 2",),
        *("SELECT a FROM b WHERE c = 'd' OR e >= 2", "SELECT a FROM b WHERE c = 'd' AND e > 2"),
        *("SELECT a FROM b WHERE c = 'd' AND e >= 3", "SELECT a FROM b WHERE c = 'd' AND e >= 20"),
    },
    "SELECT MAX(a) FROM b ORDER BY a DESC LIMIT 1": {
        *("SELECT MIN(a) FROM b ORDER BY a DESC LIMIT 1",),
        *("SELECT MAX(a) FROM b ORDER BY a ASC LIMIT 1",),
        *("SELECT MAX(a) FROM b ORDER BY a DESC LIMIT 2",),
    },
    "SELECT a FROM b ORDER BY a": {"SELECT a FROM b ORDER BY a DESC"},
    "UPDATE a SET b = ?, c = 1 WHERE d = ?": {
        *("UPDATE a SET b = ?, c = 2 WHERE d = ?", "UPDATE a SET b = ?, c = 1 WHERE d <> ?"),
        "UPDATE a SET b = ?, c = 1",
    },
    "SELECT a FROM b WHERE c BETWEEN 1 AND 5": {
        *("SELECT a FROM b WHERE c BETWEEN 2 AND 5", "SELECT a FROM b WHERE c BETWEEN 1 AND 6"),
        *("SELECT a FROM b WHERE c BETWEEN 1 AND 50", "SELECT a FROM b"),
    },
    "SELECT a FROM b WHERE c IS NULL": {
        *("SELECT a FROM b WHERE c IS NOT NULL", "SELECT a FROM b"),
    },
    "SELECT a FROM b WHERE c NOT IN (SELECT d FROM e WHERE f = 1) GROUP BY a": {
        *("SELECT a FROM b WHERE c IN (SELECT d FROM e WHERE f = 1) GROUP BY a",),
        *("SELECT a FROM b GROUP BY a",),
        *("SELECT a FROM b WHERE c NOT IN (SELECT d FROM e ) GROUP BY a",),
        *("SELECT a FROM b WHERE c NOT IN (SELECT d FROM e WHERE f <> 1) GROUP BY a",),
        *("SELECT a FROM b WHERE c NOT IN (SELECT d FROM e WHERE f = 2) GROUP BY a",),
    },
    "SELECT DISTINCT a - b, * FROM c LEFT JOIN d USING (e)": {
        *("SELECT a - b, * FROM c LEFT JOIN d USING (e)",),
        *("SELECT DISTINCT a + b, * FROM c LEFT JOIN d USING (e)",),
        *("SELECT DISTINCT a - b, * FROM c JOIN d USING (e)",),
    },
    "CREATE TABLE IF NOT EXISTS a (b TEXT UNIQUE, c INTEGER DEFAULT 3)": {
        *("CREATE TABLE IF NOT EXISTS a (b TEXT , c INTEGER DEFAULT 3)",),
        *("CREATE TABLE IF NOT EXISTS a (b TEXT UNIQUE, c INTEGER DEFAULT 4)",),
        *("CREATE TABLE IF NOT EXISTS a (b TEXT UNIQUE, c INTEGER DEFAULT 30)",),
    },
    "SELECT 'unclosed": set(),
}


@pytest.mark.parametrize("text", SQL)
def test_sql_is_changed_where_it_stays_sql(text: str) -> None:
    assert queries(text) == SQL[text]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("SELECT 1", True),
        ("select a from b", True),
        (" AND status = 'x'", True),
        ("WITH a AS (SELECT 1) SELECT * FROM a", True),
        ("DELETE FROM a", True),
        ("Select a phase from the list", False),
        ("UPDATE THE PAGE", False),
        ("and so on", False),
        ("Delete from the list", False),
        ("selected", False),
    ],
)
def test_sql_is_told_from_prose(text: str, is_one: bool) -> None:
    assert sql.is_sql(text) is is_one


YAML = """\
# 5 comments
groups:
  - name: plms  # a comment
    for: 5m
    expr: rate(x[5m]) > 10
    labels: {severity: warning, list: [1, -3]}
    quoted: "it's 30s"
    single: '02:00'
    on: true
    none: null
    empty: ""
    run: |
      systemctl stop x
    command: reboot --force
    query: SELECT a FROM b WHERE c = 1
    same: &same {n: 1}
    again: *same
    folded: >-
      in 3
      days
---
second: 7
"""


def test_yaml_is_changed_by_value(tmp_path: Path) -> None:
    found = made(tmp_path, "a.yaml", YAML)
    assert {
        *(("", "-other"), (">", ">="), ("s", "ms"), ("true", "false"), ("-3", "-2")),
        *(("systemctl stop x", "true"), ("reboot --force", "true"), ("=", "<>"), ("7", "8")),
    } <= changes(found)
    for line in (1, 3):
        assert all("comment" not in one.replaced for one in found if one.line == line)
    assert [one.replacement for one in found if one.line == 16] == ["2"]
    assert not {2, 10, 11, 17} & {one.line for one in found}
    documents = len(list(yaml.safe_load_all(YAML)))
    for text in texts(YAML, found):
        assert len(list(yaml.safe_load_all(text))) == documents


@pytest.mark.parametrize("value", ["< 3", "[1, 2]", "!tag 3", "'a''b 3'", "1 #2", "a\n  3", "?3"])
def test_what_is_written_unusually_is_not_broken(tmp_path: Path, value: str) -> None:
    text = f"key: {value}\n"
    changed = texts(text, made(tmp_path, "a.yaml", text))
    assert changed
    for one in changed:
        yaml.compose(one)


@pytest.mark.parametrize("text", ["key: == 5\n", "[== 5, a]\n", "- == 5\n"])
def test_a_sign_that_would_become_a_tag_stays(tmp_path: Path, text: str) -> None:
    found = changes(made(tmp_path, "a.yaml", text))
    assert ("5", "6") in found
    assert ("==", "!=") not in found


def test_a_sign_within_a_value_is_changed(tmp_path: Path) -> None:
    assert ("==", "!=") in changes(made(tmp_path, "a.yaml", "key: up == 5, it is\n"))


JSON = '{"a": 1, "b": [true, null, "x", -1.5e3], "t": "02:00", "esc": "a\\"b 30s", "k": {"5": 2}}\n'


def test_json_is_changed_by_value(tmp_path: Path) -> None:
    found = made(tmp_path, "a.json", JSON)
    assert changes(found) == {
        *(("1", "2"), ("true", "false"), ("", "-other"), ("-1.5e3", "-1.50E+4"), ("02", "03")),
        *(("02", "14"), ("30", "31"), ("30", "300"), ("s", "ms"), ("2", "3"), ("2", "20")),
    }
    for text in texts(JSON, found):
        assert json.loads(text).keys() == json.loads(JSON).keys()


TOML = 'title = "x"\n[a]\nn = 3\nt = 02:00:00\nl = [1, 2]\nd = { x = 1.5, y = "z" }\nb = true # 9\n'


def test_numbers_of_json_may_have_exponents(tmp_path: Path) -> None:
    assert changes(made(tmp_path, "a.json", "[1E5, 2e-3]")) == {
        *(("1E5", "1.0E+6"), ("2e-3", "0.020")),
    }


def test_toml_stays_toml(tmp_path: Path) -> None:
    found = made(tmp_path, "a.toml", TOML)
    assert {("3", "4"), ("02", "03"), ("true", "false"), ("1.5", "1.6")} <= changes(found)
    assert "9" not in {one.replaced for one in found}
    for text in texts(TOML, found):
        tomllib.loads(text)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (".env", 'A=1\nexport B="two"\n# C=3\n', {("1", "2"), ("", "-other")}),
        ("a.ini", "[s]\nkey: 02:00\n;x = 1\n", {("02", "03"), ("02", "14")}),
        (
            "n.conf",
            "server {\n  listen 80;\n  gzip on;\n}\n",
            {("80", "81"), ("80", "800"), ("on", "off")},
        ),
        ("a.cfg", "every = daily run\n", {("", "-other")}),
        ("a.env", "AT=30 2 * * *\n", None),
    ],
)
def test_settings_are_changed_by_value(
    tmp_path: Path, name: str, text: str, expected: set[tuple[str, str]] | None
) -> None:
    found = changes(made(tmp_path, name, text))
    if expected is None:
        assert ("2", "3") in found
    else:
        assert found == expected


UNIT = """\
[Unit]
Description=Runs 3 things
[Service]
# Type=simple
Type=oneshot
Environment="WEEK=3" CHANNEL=#ops
ExecStart=-/opt/plms/run --trigger timer \\
    --strict
User=plms
[Timer]
OnCalendar=*-*-* 02:00:00
Persistent=true
RandomizedDelaySec=60
"""


@pytest.mark.parametrize("name", ["a.service", "a.timer.d/b.conf"])
def test_units_are_changed_by_setting(tmp_path: Path, name: str) -> None:
    found = made(tmp_path, name, UNIT)
    assert {
        *(("Type=oneshot\n", ""), ("User=plms\n", ""), ("3", "4"), ("02", "03"), ("true", "false")),
        *((" --trigger", ""), (" --trigger timer", ""), ("60", "61")),
        ("/opt/plms/run --trigger timer \\\n    --strict", "/bin/true"),
    } <= changes(found)
    shown = {mutants.apply(UNIT, one) for one in found}
    assert UNIT.replace("#ops", "#ops-other") in shown
    assert UNIT.replace("Persistent=true", "Persistent=false") in shown
    assert not {1, 2, 3, 4, 10} & {one.line for one in found}


def test_what_starts_with_a_placeholder_keeps_it_or_is_replaced(tmp_path: Path) -> None:
    found = made(tmp_path, "a.service", "[Service]\nExecStart=@HOME@/run\n")
    assert ("@HOME@/run", "/bin/true") in changes(found, "command")


CRONTAB = "MAILTO=ops\n# 0 2 * * * no\n0 2 * * 1-5 root /opt/x --strict >> log\n@daily root true\n"


def test_a_system_crontab_has_users(tmp_path: Path) -> None:
    found = changes(made(tmp_path, "cron.d/plms", CRONTAB))
    assert {("2", "3"), ("1-5", "*"), ("daily", "weekly"), ("", "-other")} <= found
    assert ("/opt/x --strict", "true") in found
    assert not any("root" in old for old, _ in found)


def test_a_crontab_has_none(tmp_path: Path) -> None:
    found = changes(made(tmp_path, "a.cron", CRONTAB))
    assert ("root /opt/x --strict", "true") in found


SCRIPT = """\
#!/bin/bash
set -euo pipefail
# wait 30s
RETRIES=3
wait_for() {
  while [ "$n" -lt 10 ] && ! curl --fail --max-time 5 "http://ä/"; do
    sleep 2; n=$((n + 1))
  done
}
cat <<EOF > out
hello 3
EOF
systemctl restart plms || exit 3
sqlite3 db "SELECT a FROM b WHERE c = 'd'" | tee log
"""


@pytest.mark.parametrize("name", ["a.sh", "run"])
def test_scripts_are_changed_by_command(tmp_path: Path, name: str) -> None:
    found = made(tmp_path, name, SCRIPT)
    assert {
        *(("set -euo pipefail", "true"), ("sleep 2", "true"), ("-lt", "-le"), ("&&", "||")),
        *((" --fail", ""), (" --max-time 5", ""), ("||", "&&"), ("exit 3", "true"), ("=", "<>")),
        *(("3", "4"), ("tee log", "true"), ("cat", "true")),
    } <= changes(found)
    assert not {1, 3, 11} & {one.line for one in found}
    assert {one.replaced for one in found if one.line == 7} == {"sleep 2", "2", "1"}


def test_a_python_program_without_ending_is_python(tmp_path: Path) -> None:
    assert ("1", "2") in changes(made(tmp_path, "run", "#!/usr/bin/env python3\nx = 1\n"))
