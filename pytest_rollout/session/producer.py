"""Who runs a run, as the variables of CI systems say. Nothing proves it: it is shown, no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.provenance import Producer

_Variables = Mapping[str, str]
_NO = ("", "0", "false")


@dataclass(frozen=True, slots=True)
class _System:
    kind: str
    sign: str  # the variable that it sets, and nobody else
    url: Callable[[_Variables], str]
    commit: str  # the variable that has it


def _named(name: str) -> Callable[[_Variables], str]:
    return lambda variables: variables.get(name, "")


def _github(variables: _Variables) -> str:
    server, repository = variables.get("GITHUB_SERVER_URL"), variables.get("GITHUB_REPOSITORY")
    run, attempt = variables.get("GITHUB_RUN_ID"), variables.get("GITHUB_RUN_ATTEMPT")
    if not (server and repository and run):
        return ""
    again = f"/attempts/{attempt}" if attempt else ""
    return f"{server}/{repository}/actions/runs/{run}{again}"


def _azure(variables: _Variables) -> str:
    names = ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")
    collection, project, build = (variables.get(name, "") for name in names)
    if not (collection and project and build):
        return ""
    return f"{collection.rstrip('/')}/{project}/_build/results?buildId={build}"


_SYSTEMS = (
    _System("github-actions", "GITHUB_ACTIONS", _github, "GITHUB_SHA"),
    _System("gitlab-ci", "GITLAB_CI", _named("CI_JOB_URL"), "CI_COMMIT_SHA"),
    _System("buildkite", "BUILDKITE", _named("BUILDKITE_BUILD_URL"), "BUILDKITE_COMMIT"),
    _System("azure", "TF_BUILD", _azure, "BUILD_SOURCEVERSION"),
    _System("circleci", "CIRCLECI", _named("CIRCLE_BUILD_URL"), "CIRCLE_SHA1"),
    _System("jenkins", "JENKINS_URL", _named("BUILD_URL"), "GIT_COMMIT"),
    _System("teamcity", "TEAMCITY_VERSION", _named("BUILD_URL"), "BUILD_VCS_NUMBER"),
)


def producer(variables: _Variables) -> Producer:
    """Return who runs this process; ``local`` where no variable speaks of a CI system."""
    for system in _SYSTEMS:
        if variables.get(system.sign, "").lower() not in _NO:
            return Producer(system.kind, system.url(variables), variables.get(system.commit, ""))
    unknown = variables.get("CI", "").lower() not in _NO
    return Producer("ci" if unknown else "local")
