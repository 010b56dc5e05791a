"""Who runs a run, from the variables that CI systems document."""

from __future__ import annotations

import pytest

from pytest_rollout.model.provenance import Producer
from pytest_rollout.session.producer import producer

GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "octo/shop",
    "GITHUB_RUN_ID": "165",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_SHA": "ffac53",
}
AZURE = {
    "TF_BUILD": "True",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/octo/",
    "SYSTEM_TEAMPROJECT": "shop",
    "BUILD_BUILDID": "42",
    "BUILD_SOURCEVERSION": "ffac53",
}
GITLAB = {"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab/1", "CI_COMMIT_SHA": "ffac53"}
BUILD = "https://dev.azure.com/octo/shop/_build/results?buildId=42"
RUN = "https://github.com/octo/shop/actions/runs/165"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (GITHUB, Producer("github-actions", f"{RUN}/attempts/2", "ffac53")),
        ({**GITHUB, "GITHUB_RUN_ATTEMPT": ""}, Producer("github-actions", RUN, "ffac53")),
        ({"GITHUB_ACTIONS": "true"}, Producer("github-actions")),
        (GITLAB, Producer("gitlab-ci", "https://gitlab/1", "ffac53")),
        (
            AZURE,
            Producer("azure", BUILD, "ffac53"),
        ),
        (
            {"JENKINS_URL": "https://j/", "BUILD_URL": "https://j/1", "GIT_COMMIT": "a"},
            Producer("jenkins", "https://j/1", "a"),
        ),
        (
            {"BUILDKITE": "true", "BUILDKITE_BUILD_URL": "https://b/1", "BUILDKITE_COMMIT": "a"},
            Producer("buildkite", "https://b/1", "a"),
        ),
        ({"CI": "true"}, Producer("ci")),
        ({"CI": "false", "GITHUB_ACTIONS": "false"}, Producer("local")),
        ({}, Producer("local")),
    ],
)
def test_a_run_says_who_runs_it(variables: dict[str, str], expected: Producer) -> None:
    assert producer(variables) == expected


def test_nothing_is_ever_authenticated_by_a_variable() -> None:
    assert not producer(GITHUB).authenticated
