"""What a trap is: a way to end a run well without evidence, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

GO, HOLD, NO_GO = "GO", "HOLD", "NO-GO"
NOTHING = "nothing"  # no decision was made, so there is none to trust

PLAIN, N0, N2 = "plain", "-n0", "-n2"
EVERY = (PLAIN, N0, N2)
ALONE = (PLAIN, N0)
WORKERS = (N2,)

# Plugins of pytest's ecosystem, by the names that `-p no:NAME` knows.
ECOSYSTEM = {
    "rerunfailures": (),
    "timeout": ("--timeout=60",),
    "pytest_cov": ("--cov=suites", "--cov-report="),
    "metadata": (),
    "html": ("--html=out/report.html", "--self-contained-html"),
    "html_fixtures": (),
    "pytest_jsonreport": ("--json-report", "--json-report-file=out/report.json"),
    "allure_pytest": ("--alluredir=out/allure",),
    "randomly": (),
    "asyncio": ("-o", "asyncio_default_fixture_loop_scope=function"),
    "anyio": (),
    "hypothesispytest": (),
    "respx": (),
    "locust": (),
}


@dataclass(frozen=True, slots=True)
class Trap:
    """A situation, how to get into it, and what must be answered."""

    id: str
    says: str
    because: str  # a part of the reason that must be given
    answer: str = HOLD
    files: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    modes: tuple[str, ...] = EVERY
    numbers: tuple[str, ...] = ()  # in the list of pytest's ways that the catalogue began with
    needs: tuple[str, ...] = ()  # plugins of the ecosystem without which it is no trap
    taken: bool = False  # the exit status is not pytest's to give: process, shell or switch took it
    because_n2: str = ""  # where workers change the reason
    answer_n2: str = ""
    shell: str = ""  # a command line around {pytest}
    after_go: bool = False  # must also take back a GO that the ledger held before
    damages: bool = False  # the ledger is no longer whole afterwards, and that is found
    root: str = "."  # where pytest takes its root to be

    @property
    def combines(self) -> bool:
        """Whether the plugins of the ecosystem can all be on as well."""
        return "PYTEST_DISABLE_PLUGIN_AUTOLOAD" not in self.env and "timeout" not in self.needs

    def answer_in(self, mode: str) -> str:
        """What must be answered in a mode."""
        return (self.answer_n2 if mode == N2 else "") or self.answer

    def because_in(self, mode: str) -> str:
        """A part of the reason that must be given in a mode."""
        return (self.because_n2 if mode == N2 else "") or self.because
