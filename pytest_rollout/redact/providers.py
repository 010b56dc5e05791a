"""Keys and tokens that providers hand out: what they begin with, and what has to follow.

The prefixes are those that the providers document, or that public scanners (gitleaks,
GitHub's secret scanning) list. What must follow is shorter than what is handed out, so that a
token that was cut is still hidden, and long enough that words are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

Span = tuple[int, int]

# A lookahead is bounded, and a repetition stands last or cannot give back what it took. No group
# is repeated possessively: Python 3.11.2, Debian's, matches those wrongly.
DIGIT = r"(?=[A-Za-z_+/.-]{0,60}[0-9=])"
_ALONE = r"(?<![A-Za-z0-9])"  # of prefixes that words may end with


def _hex(least: int) -> str:
    return rf"[0-9a-f]{{{least},}}+"


def _word(least: int) -> str:
    return rf"[A-Za-z0-9_-]{{{least},}}+"


def _mixed(least: int) -> str:
    return DIGIT + _word(least)


# By prefix; a tail that begins with a lookbehind looks at what stands before the prefix.
_TAILS: Mapping[str, str] = {
    **dict.fromkeys(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"[A-Za-z0-9]{12,}+"),
    "github_pat_": _word(12),
    "glpat-": r"[A-Za-z0-9_.-]{10,}+",
    **dict.fromkeys(
        ("gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glimt-", "glagent-", "gloas-"),
        _mixed(16),
    ),
    **dict.fromkeys(("xapp-",), r"[A-Za-z0-9-]{10,}+"),
    **dict.fromkeys((f"xox{kind}-" for kind in "abcdeoprs"), r"[A-Za-z0-9-]{8,}+"),
    **dict.fromkeys(("AKIA", "ASIA", "ABIA", "ACCA"), r"[A-Z0-9]{12,}+"),  # Amazon
    "sk-": _mixed(16),  # OpenAI, Anthropic and others
    **dict.fromkeys(
        ("sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"), r"[A-Za-z0-9+/=]{10,}+"
    ),
    "npm_": DIGIT + r"[A-Za-z0-9]{16,}+",
    "pypi-": _mixed(16),
    "rubygems_": _hex(32),
    **dict.fromkeys(("dckr_pat_", "dckr_oat_"), _word(16)),
    "AIza": _word(30),  # Google
    "ya29.": _word(10),
    "GOCSPX-": _word(20),
    "hf_": DIGIT + r"[A-Za-z0-9]{20,}+",
    "SG.": r"[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+",  # SendGrid
    **dict.fromkeys(("xkeysib-", "xsmtpsib-"), _hex(32) + r"(?:-[A-Za-z0-9]{4,}+)?"),
    "key-": _hex(32),  # Mailgun
    "SK": _hex(32) + r"(?![A-Za-z0-9])",  # Twilio
    **dict.fromkeys(("shpat_", "shpca_", "shppa_", "shpss_"), r"[0-9A-Fa-f]{24,}+"),
    **dict.fromkeys(("dop_v1_", "doo_v1_", "dor_v1_"), _hex(32)),  # DigitalOcean
    "HRKU-": _word(30),  # Heroku
    "ddapi_": _word(20),
    **dict.fromkeys(("NRAK-", "NRJS-", "NRII-", "NRRA-"), r"[A-Za-z0-9_-]{18,}+"),  # New Relic
    "u+": r"[A-Za-z0-9_+-]{18}(?![A-Za-z0-9_+-])",  # PagerDuty
    "AGE-SECRET-KEY-1": r"[02-9AC-HJ-NP-Z]{40,}+",
    **dict.fromkeys(("hvs.", "hvb.", "hvr."), _mixed(20)),  # Vault
    "dapi": _hex(32),  # Databricks
    **dict.fromkeys(("dp.pt.", "dp.st.", "dp.ct.", "dp.sa."), r"[A-Za-z0-9.]{32,}+"),  # Doppler
    "dt0c01.": r"[A-Z2-7]{24}\.[A-Z2-7]{40,}+",  # Dynatrace
    "glsa_": _word(32),  # Grafana
    "glc_": r"[A-Za-z0-9+/=]{32,}+",
    **dict.fromkeys(("sntrys_", "sntryu_"), r"[A-Za-z0-9+/=_]{32,}+"),
    "lin_api_": r"[A-Za-z0-9]{32,}+",
    "ntn_": DIGIT + r"[A-Za-z0-9]{32,}+",
    "PMAK-": r"[0-9a-f]{24}-[0-9a-f]{24,}+",
    "pul-": _hex(40),
    **dict.fromkeys(("pscale_tkn_", "pscale_pw_", "pscale_oauth_"), r"[A-Za-z0-9=._-]{24,}+"),
    **dict.fromkeys(("sq0atp-", "sq0csp-"), _word(20)),  # Square
    **dict.fromkeys(("ATATT3", "ATCTT3", "ATSTT3"), r"[A-Za-z0-9_=-]{60,}+"),  # Atlassian
    "figd_": _word(32),
    **dict.fromkeys(("sbp_", "sb_secret_"), _mixed(20)),  # Supabase
    "tskey-": r"(?:auth|api|client|webhook)-[A-Za-z0-9-]{12,}+",
    **dict.fromkeys(("sqp_", "squ_", "sqa_"), _hex(32)),  # SonarQube
    "CCIPAT_": r"[A-Za-z0-9]{16,}+(?:_[0-9a-f]{16,}+)?",
    "bkua_": _hex(32),
    "LTAI": DIGIT + r"[A-Za-z0-9]{16,}+",  # Alibaba
    **dict.fromkeys(("rzp_live_", "rzp_test_"), r"[A-Za-z0-9]{10,}+"),
    **dict.fromkeys(("shippo_live_", "shippo_test_"), _hex(32)),
    **dict.fromkeys(("duffel_live_", "duffel_test_"), _word(32)),
    "ops_eyJ": _word(40),  # 1Password
    "rdme_": r"[a-z0-9]{50,}+",
    "r8_": DIGIT + r"[A-Za-z0-9]{32,}+",
    "nfp_": DIGIT + r"[A-Za-z0-9]{32,}+",
}
_SHORT = {
    *("AKIA", "ASIA", "ABIA", "ACCA", "sk-", "sk_live_", "sk_test_", "rk_live_", "rk_test_"),
    *("SG.", "key-", "SK", "u+", "dapi", "LTAI", "pul-", "ntn_", "r8_", "hvs.", "hvb.", "hvr."),
    *("sqp_", "squ_", "sqa_", "nfp_", "sbp_", "glc_", "ATATT3", "ATCTT3", "ATSTT3"),
}
# Tokens whose own letters stand before what tells them: so many, and the whole.
_BEFORE: Mapping[str, tuple[int, str]] = {
    "q~": (4, r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{20,}+"),  # Azure's client secrets
    "-us": (32, r"(?<![0-9a-f])[0-9a-f]{32}-us[0-9]{1,2}"),  # Mailchimp
    ".atlasv1.": (14, r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{20,}+"),  # Terraform
    "/bot": (0, r"/bot[0-9]{6,12}:[A-Za-z0-9_-]{20,}+"),  # Telegram
    ":aa": (0, r"(?<=[0-9]{6}):AA[A-Za-z0-9_-]{30,}+"),
    "1//0": (0, _ALONE + r"1//0[A-Za-z0-9_-]{30,}+"),  # Google's refresh tokens
}
_HIDDEN_IN = {"/bot": len("/bot"), ":aa": 1}  # what of it is no secret

At = Callable[[str, int], Span | None]


def known() -> Mapping[str, At]:
    """What finds each of them, by the literal (in lower case) at which it is looked for."""
    finders: dict[str, At] = {}
    by_literal: dict[str, list[str]] = {}
    for prefix, tail in _TAILS.items():
        alone = _ALONE if prefix in _SHORT else ""
        by_literal.setdefault(prefix.lower(), []).append(f"{alone}{re.escape(prefix)}{tail}")
    for literal, patterns in by_literal.items():
        finders[literal] = _at(0, "|".join(patterns), 0)
    for literal, (before, pattern) in _BEFORE.items():
        finders[literal] = _at(before, pattern, _HIDDEN_IN.get(literal, 0))
    return finders


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern, compiled when a text holds its literal: most never do."""
    return re.compile(pattern, re.ASCII)


def _at(before: int, pattern: str, shown: int) -> At:
    """What looks at a place for a pattern that begins so many characters before."""

    def at(text: str, place: int) -> Span | None:
        match = compiled(pattern).match(text, place - before) if place >= before else None
        return (match.start() + shown, match.end()) if match else None

    return at
