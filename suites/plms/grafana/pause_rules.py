"""Pauses every alert rule, or has them go on: ``python3 -m suites.plms.grafana.pause_rules pause``.

Grafana is at ROLLOUT_TARGET_GRAFANA, or at GRAFANA_URL; GRAFANA_API_KEY opens it. ``paused`` only
asks: it ends with 1 while a rule is not paused.
"""

from __future__ import annotations

import os
import sys

import httpx

RULES = "/api/v1/provisioning/alert-rules"
_WORDS = ("pause", "resume", "paused")


def set_paused(grafana: httpx.Client, *, paused: bool) -> list[str]:
    """Pause the rules, or have them go on; their names. Raises httpx.HTTPError."""
    rules = grafana.get(RULES).raise_for_status().json()
    for rule in rules:
        changed = {**rule, "isPaused": paused}
        grafana.put(f"{RULES}/{rule['uid']}", json=changed).raise_for_status()
    return [rule["title"] for rule in rules]


def going(grafana: httpx.Client) -> list[str]:
    """The names of the rules that are not paused. Raises httpx.HTTPError."""
    rules = grafana.get(RULES).raise_for_status().json()
    return [rule["title"] for rule in rules if not rule["isPaused"]]


def main() -> int:
    """Do what the one word asks; 2 where it is none, or nobody says where Grafana is."""
    word = sys.argv[1] if len(sys.argv) == 2 else ""
    url = os.environ.get("ROLLOUT_TARGET_GRAFANA") or os.environ.get("GRAFANA_URL")
    if word not in _WORDS or not url:
        sys.stderr.write(f"pause_rules takes {', '.join(_WORDS)}, and GRAFANA_URL must be set\n")
        return 2
    key = os.environ.get("GRAFANA_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=10) as grafana:
            if word == "paused":
                return _told("not paused", going(grafana), bad=True)
            return _told(word, set_paused(grafana, paused=word == "pause"))
    except httpx.HTTPError as problem:
        sys.stderr.write(f"Grafana at {url}: {problem}\n")
        return 1


def _told(word: str, names: list[str], *, bad: bool = False) -> int:
    sys.stdout.write(f"{word}: {', '.join(names) or 'no rule'}\n")
    return int(bad and bool(names))


if __name__ == "__main__":
    raise SystemExit(main())
