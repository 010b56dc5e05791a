"""Reviews of pull requests, as GitHub tells of them, and as the record of who approved."""

from __future__ import annotations

from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass


class ReviewState(StrEnum):
    """What a review says, in GitHub's words. Comments and drafts say nothing of the kind."""

    APPROVED = "APPROVED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    DISMISSED = "DISMISSED"  # whatever it said before


@dataclass(frozen=True, slots=True)
class Review:
    """A review that has an opinion."""

    id: str
    url: str
    login: str  # empty where the account is gone
    state: ReviewState
    text: str
    commit: str  # that was looked at; empty where GitHub does not know it any more
    submitted_at: str  # ISO 8601, UTC
    edited: bool = False  # whether its text was changed afterwards, perhaps by somebody else


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request with its reviews, in GitHub's order."""

    url: str
    author: str  # a login
    text: str
    text_since: str  # ISO 8601, UTC: since when its text reads so
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The review that stands for a signature: what GitHub said when it was asked.

    Nothing here is signed. Who was not there when it was asked has to ask again.
    """

    id: str
    url: str
    login: str
    state: ReviewState
    commit: str
    submitted_at: str
    pull: str  # URL of the pull request
    author: str  # login of the pull request's author
    tied: str = ""  # what says that it is of this state of the decision
    kind: str = "github review"
