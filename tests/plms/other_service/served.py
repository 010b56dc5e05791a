"""PLMS as somebody else would write it, from the documents alone: standard library only.

python -m tests.plms.other_service.served PORT FOLDER TASK_SECONDS SPEED [TWIST ...]
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.plms.other_service.book import Book, now
from tests.plms.other_service.work import OPEN, Run, Works, interval, lane_of, may_teach

_REHEARSED = {942: (1000, 10), 401: (800, 10), 407: (400, 40)}
_TOKENS_OF_A_TASK = 15


class Service:
    """What is answered at each address."""

    def __init__(self, works: Works) -> None:
        self._works, self._twists, self._began = works, works.twists, now()
        project = r"/api/projects/(\d+)/"
        self.routes: dict[tuple[str, str], Callable[..., tuple[int, Any]]] = {
            ("GET", "/version"): lambda _: (200, {"version": "plms-v1.0.0"}),
            ("GET", "/api/ops/healthz"): self._health,
            ("GET", "/api/portfolio/status"): self._portfolio,
            ("POST", rf"{project}cancel"): self._cancel,
            ("GET", rf"{project}metrics"): self._metrics,
            ("GET", rf"{project}budget-runway"): self._runway,
            ("GET", rf"{project}risk-heatmap"): self._risks,
            ("POST", r"/v2/projects/(\d+)/dry-run"): self._dry_run,
            ("GET", "/v2/learning"): self._learning,
            ("POST", "/v2/learning/decide"): self._decide,
        }

    def _health(self, _: object) -> tuple[int, Any]:
        fine = bool(self._works.book.read("select 1"))
        said = {"status": "ok" if fine else "ill", "redis": True, "db": fine, "filesystem": True}
        return (200 if fine else 503), said

    def start(self, project: int, key: str | None, asked: Any) -> tuple[int, Any, bool]:
        """Status, answer, and whether it repeats an earlier one."""
        if not key:
            return 400, {"detail": "an Idempotency-Key is demanded"}, False
        status, run = self._works.start(project, key, asked)
        if run is None:
            return status, {"detail": "refused"}, False
        return 200, {"status": "submitted", "run_id": run.ref}, status == 208

    def _cancel(self, _: object, project: str) -> tuple[int, Any]:
        stopped = self._works.cancel(int(project))
        if stopped is None:
            return 404, {"detail": "it never ran"}
        return 200, {"state": "stopped", "stopped": stopped}

    # What runs

    def _portfolio(self, _: object) -> tuple[int, Any]:
        with self._works.lock:
            lanes = [self._lane(lane, cap) for lane, cap in self._works.book.caps().items()]
            newest = {run.project: run for run in self._works.runs}
            runs = {str(project): self._run(run) for project, run in newest.items()}
        queue = {"waiting": sum(lane["waiting"] for lane in lanes)}
        if "queue-unsaid" in self._twists:
            queue = {}
        if "queue-constant" in self._twists:
            queue = {"waiting": 0}
        at = (self._began if "clock-stuck" in self._twists else now()).isoformat()
        return 200, {"meta": {"at": at}, "queue": queue, "lanes": lanes, "runs": runs}

    def _lane(self, lane: str, cap: int) -> dict[str, Any]:
        runs = self._works.under_way(lane)
        busy, waiting = sum(len(run.running) for run in runs), sum(len(run.left) for run in runs)
        could = min(cap, busy + waiting)
        if "caps-hidden" in self._twists:
            busy = min(busy, cap)
        share = busy / could if could else None
        if share and "utilization-percent" in self._twists:
            share *= 100
        shown = 9 if "limit-stale" in self._twists else cap
        said = {
            "name": lane,
            "busy": busy,
            "waiting": waiting,
            "limit": shown,
            "utilization": share,
        }
        return {key: v for key, v in said.items() if f"{key}-unsaid" not in self._twists}

    def _run(self, run: Run) -> dict[str, Any]:
        done = 100 * run.progress if run.status in OPEN else 100.0 * run.done / run.size
        return {"refs": [run.ref], "state": run.status, "done_pct": done}

    # What is estimated and spent

    def _metrics(self, _: object, project: str) -> tuple[int, Any]:
        run = self._works.newest(int(project))
        lane = run.lane if run else lane_of(int(project))
        tokens, tokens_std, seconds, seconds_std = (
            run.estimate if run else self._works.book.prior(lane)
        )
        low, high = interval(tokens, tokens_std)
        short, long = interval(seconds, seconds_std)
        said: dict[str, Any] = {"tokens_mean": tokens, "duration_mean": seconds / 60}
        if "intervals-absent" not in self._twists:
            said |= {"tokens_ci_lower": low, "tokens_ci_upper": high}
            said |= {"duration_ci_lower": short / 60, "duration_ci_upper": long / 60}
        ended = run if run and run.ended else None
        said["tokens_actual"] = ended and ended.tokens
        said["duration_actual"] = ended and ended.seconds / 60
        spread = {"tokens": tokens_std, "seconds": seconds_std}
        return 200, {**said, "lane": lane, "level_pct": 90, "spread": spread}

    def _runway(self, _: object, project: str) -> tuple[int, Any]:
        run = self._works.newest(int(project))
        if run is None:
            return 404, {"detail": "it never ran"}
        limit, minutes = run.asked.get("budget_tokens"), run.asked.get("budget_duration_minutes")
        took = run.seconds / 60
        runways, overruns = [], []
        if limit and run.tokens:
            runways.append((float(limit) - run.tokens) / (run.tokens / took))
            overruns.append(run.tokens / run.progress / float(limit) - 1)
        if minutes:
            runways.append(float(minutes) - took)
            overruns.append(took / max(run.progress, 0.01) / float(minutes) - 1)
        said = {
            "budget_runway_minutes": min(runways) if runways else None,
            "overrun_pct": 100 * max(overruns) if overruns else None,
            "tokens": {"limit": limit, "spent": run.tokens},
        }
        return 200, {**said, "state": run.status}

    def _risks(self, _: object, project: str) -> tuple[int, Any]:
        run = self._works.newest(int(project))
        if run is None:
            return 404, {"detail": "it never ran"}
        risks = {"estimate": 10.0, "execution": 100 * (1 - run.progress), "validation": 5.0}
        return 200, {"rows": {run.lane: {"risk_pct": risks, "why": []}}}

    def _dry_run(self, asked: Mapping[str, Any], project: str) -> tuple[int, Any]:
        total, strata = _REHEARSED.get(int(project), (200, 5))
        wanted = float(asked["share"])
        sample = min(max(round(wanted * total), 1), total)
        if sample < strata:
            sample = max(sample, min(strata, int(0.05 * total)))
        taken = {f"s{i}": sample // strata + (i < sample % strata) for i in range(strata)}
        taken = {stratum: count for stratum, count in taken.items() if count}
        share, covered = sample / total, len(taken) / strata
        spent = sample * _TOKENS_OF_A_TASK
        return 200, {
            "shares_pct": {"asked": 100 * wanted, "taken": 100 * share, "strata": 100 * covered},
            "raised": sample > round(wanted * total),
            "tasks": {"taken": sample, "all": total, "strata": strata, "by_stratum": taken},
            "tokens": {"spent": spent, "whole": spent / share},
            "risk_pct": 15 * (1 - share) + 50 * (1 - covered),
        }

    # What it learns from

    def _learning(self, _: object) -> tuple[int, Any]:
        return 200, {"on": self._works.book.setting("calibration_enabled") == "true"}

    def _decide(self, asked: Mapping[str, Any]) -> tuple[int, Any]:
        return 200, {"teaches": [may_teach(run) for run in asked["cases"]]}


def handler(service: Service) -> type[BaseHTTPRequestHandler]:
    """The class that answers requests."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            """Find the route, and send what it says."""
            length = int(self.headers.get("content-length") or 0)
            asked = json.loads(self.rfile.read(length) or b"{}")
            path = self.path.partition("?")[0]
            replay = False
            starting = re.fullmatch(r"/api/projects/(\d+)/start", path)
            if starting and self.command == "POST":
                key = self.headers.get("Idempotency-Key")
                status, said, replay = service.start(int(starting[1]), key, asked)
            else:
                status, said = self._routed(path, asked)
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            if replay:
                self.send_header("Idempotent-Replay", "true")
            self.end_headers()
            self.wfile.write(text)

        def _routed(self, path: str, asked: Any) -> tuple[int, Any]:
            for (method, pattern), answer in service.routes.items():
                match = re.fullmatch(pattern, path)
                if match and method == self.command:
                    return answer(asked, *match.groups())
            return 404, {"detail": "no such address"}

        do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    return Handler


def main(port: str, folder: str, task_s: str, speed: str, *twists: str) -> None:
    """Serve until the process is ended."""
    book = Book(Path(folder, "other.db"), 2 * float(task_s))
    works = Works(book, float(task_s), float(speed), frozenset(twists))
    ThreadingHTTPServer(("127.0.0.1", int(port)), handler(Service(works))).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
