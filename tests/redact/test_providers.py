"""Keys and tokens of providers: each is hidden, and what nearly looks like it is left alone.

None stands here as it is handed out: scanners of public code would take it for a real one.
"""

from __future__ import annotations

import pytest

from pytest_rollout.redact import MARK, KnownSecrets, providers

HEX = "0123456789abcdef" * 6
UPPER = "A1B2C3D4E5F6G7H8" * 6
MIXED = "a1B2c3D4e5F6g7H8" * 8
BECH = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2

# The prefix, what follows it in a token, and what follows it in something else.
TOKENS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), (MIXED[:36], "short")),
    "github_pat_": (MIXED[:22] + "_" + MIXED[:59], "of-mine"),
    "glpat-": (MIXED[:20], "name"),
    **dict.fromkeys(
        ("gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glimt-", "glagent-", "gloas-"),
        (MIXED[:20], "a-word-of-letters-alone"),
    ),
    "xapp-": ("1-" + UPPER[:11] + "-" + HEX[:40], "launch"),
    **dict.fromkeys([f"xox{kind}-" for kind in "abcdeoprs"], (HEX[:12] + "-" + MIXED[:24], "ab")),
    **dict.fromkeys(("AKIA", "ASIA", "ABIA", "ACCA"), (UPPER[:16], "shi is a shrub")),
    "sk-": ("ant-api03-" + MIXED[:40], "learn-pipeline-of-words"),
    **dict.fromkeys(("sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"), (MIXED[:24], "x")),
    "npm_": (MIXED[:36], "config_cache_of_words"),
    "pypi-": ("AgEIcHlwaS5vcmcC" + MIXED[:60], "publish-the-whole-package"),
    "rubygems_": (HEX[:48], "mirror"),
    **dict.fromkeys(("dckr_pat_", "dckr_oat_"), (MIXED[:27], "x")),
    "AIza": (MIXED[:35], "wa"),
    "ya29.": (MIXED[:40], "x"),
    "GOCSPX-": (MIXED[:28], "x"),
    "hf_": (MIXED[:34], "transfer_of_a_large_file"),
    "SG.": (MIXED[:22] + "." + MIXED[:43], "3 and SG.4 are groups"),
    **dict.fromkeys(("xkeysib-", "xsmtpsib-"), (HEX[:64] + "-" + MIXED[:16], "x")),
    "key-": (HEX[:32], "value pairs"),
    "SK": (HEX[:32], HEX[:31]),
    **dict.fromkeys(("shpat_", "shpca_", "shppa_", "shpss_"), (HEX[:32], "x")),
    **dict.fromkeys(("dop_v1_", "doo_v1_", "dor_v1_"), (HEX[:64], "x")),
    "HRKU-": ("AA" + MIXED[:58], "x"),
    "ddapi_": (MIXED[:32], "x"),
    **dict.fromkeys(("NRAK-", "NRJS-", "NRII-", "NRRA-"), (UPPER[:27], "x")),
    "u+": (MIXED[:18], "0041"),
    "AGE-SECRET-KEY-1": (BECH[:58], "of-them"),
    **dict.fromkeys(("hvs.", "hvb.", "hvr."), (MIXED[:90], "x")),
    "dapi": (HEX[:32], "_of_a_service"),
    **dict.fromkeys(("dp.pt.", "dp.st.", "dp.ct.", "dp.sa."), (MIXED[:43], "x")),
    "dt0c01.": ("A2B3C4D5" * 3 + "." + "A2B3C4D5" * 8, "x"),
    "glsa_": (MIXED[:32] + "_" + HEX[:8], "x"),
    "glc_": (MIXED[:64], "x"),
    **dict.fromkeys(("sntrys_", "sntryu_"), (MIXED[:64], "x")),
    "lin_api_": (MIXED[:40], "x"),
    "ntn_": (MIXED[:46], "x"),
    "PMAK-": (HEX[:24] + "-" + HEX[:34], "x"),
    "pul-": (HEX[:40], "monary"),
    **dict.fromkeys(("pscale_tkn_", "pscale_pw_", "pscale_oauth_"), (MIXED[:40], "x")),
    **dict.fromkeys(("sq0atp-", "sq0csp-"), (MIXED[:43], "x")),
    **dict.fromkeys(("ATATT3", "ATCTT3", "ATSTT3"), (MIXED[:120], "x")),
    "figd_": (MIXED[:40], "x"),
    **dict.fromkeys(("sbp_", "sb_secret_"), (HEX[:40], "of_words")),
    "tskey-": ("auth-" + MIXED[:12] + "-" + MIXED[:24], "other-" + MIXED[:24]),
    **dict.fromkeys(("sqp_", "squ_", "sqa_"), (HEX[:40], "x")),
    "CCIPAT_": (MIXED[:22] + "_" + HEX[:40], "x"),
    "bkua_": (HEX[:40], "x"),
    "LTAI": (MIXED[:20], "R is a range"),
    **dict.fromkeys(("rzp_live_", "rzp_test_"), (MIXED[:14], "x")),
    **dict.fromkeys(("shippo_live_", "shippo_test_"), (HEX[:40], "x")),
    **dict.fromkeys(("duffel_live_", "duffel_test_"), (MIXED[:43], "x")),
    "ops_eyJ": (MIXED[:80], "x"),
    "rdme_": (HEX[:70], "x"),
    "r8_": (MIXED[:37], "x"),
    "nfp_": (MIXED[:36], "x"),
}


def hidden(text: str) -> str:
    """What a process without secrets of its own makes of a text."""
    return KnownSecrets().hide(text)


@pytest.mark.parametrize("prefix", TOKENS)
def test_a_token_is_hidden_and_what_is_too_short_is_not(prefix: str) -> None:
    token, other = TOKENS[prefix]
    assert hidden(f"it was {prefix}{token} twice") == f"it was {MARK} twice"
    assert hidden(f'{{"x": "{prefix}{token}"}}') == f'{{"x": "{MARK}"}}'
    assert hidden(f"it was {prefix}{other} twice") == f"it was {prefix}{other} twice"


def test_each_prefix_has_its_tests() -> None:
    assert set(TOKENS) == set(providers._TAILS)


SHAPES = {
    "Azure's client secrets": ("abc8Q~" + MIXED[:34], "abcdQ~" + MIXED[:34]),
    "Mailchimp": (HEX[:32] + "-us" + "12", "run-" + HEX[:8] + "-us12"),
    "Terraform": (MIXED[:14] + ".atlas" + "v1." + MIXED[:60], "x.atlasv1.x"),
    "Google's refresh tokens": ("1/" + "/0" + MIXED[:60], "1//0 and 1//0abc"),
    "a Telegram token": ("=123456789:" + "AA" + MIXED[:33], "12:AAB"),
}


@pytest.mark.parametrize("what", SHAPES)
def test_a_token_that_is_told_by_its_middle(what: str) -> None:
    token, other = SHAPES[what]
    assert MARK in hidden(f"it was {token} twice")
    assert token[-20:] not in hidden(f"it was {token} twice")
    assert token[14:24] not in hidden(f"it was {token} twice")
    assert hidden(f"it was {other} twice") == f"it was {other} twice"


def test_the_path_of_a_telegram_bot() -> None:
    path = "https://api.telegram.org/bot" + "123456789:" + "AA" + MIXED[:33] + "/sendMessage"
    assert hidden(path) == f"https://api.telegram.org/bot{MARK}/sendMessage"
    for other in ("/bot", "/bots/12:30", "/bot/1", "/robot123456:short/x"):
        assert hidden(other) == other


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("curl -u bob:hunter2 https://x", f"curl -u {MARK} https://x"),
        ("curl -ubob:hunter2 https://x", f"curl -u{MARK} https://x"),
        ("curl -sS --user bob:hunter2", f"curl -sS --user {MARK}"),
        ("curl --user='bob:hunter2' x", f"curl --user='{MARK}' x"),
        ("curl --proxy-user bob:hunter2 x", f"curl --proxy-user {MARK} x"),
        ("curl -U bob:hunter2", f"curl -U {MARK}"),
        ("['curl', '-u', 'bob:hunter2', 'x']", f"['curl', '-u', '{MARK}', 'x']"),
        ("curl -u bob:$PASSWORD x", "curl -u bob:$PASSWORD x"),
        ("curl -u bob x", "curl -u bob x"),
        ("docker run -u 1000:1000 image", "docker run -u 1000:1000 image"),
        ("curl x\ndocker run -u 1000:1000", "curl x\ndocker run -u 1000:1000"),
        ("curl --user-agent a:b x", "curl --user-agent a:b x"),
    ],
)
def test_a_user_and_a_password_of_a_command(text: str, shown: str) -> None:
    assert hidden(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("machine x login bob password hunter2", f"machine x login bob password {MARK}"),
        (
            "machine x\n  login bob\n  password hunter2\n",
            f"machine x\n  login bob\n  password {MARK}\n",
        ),
        ("the login of the password page", "the login of the password page"),
        ("her password is long", "her password is long"),
    ],
)
def test_a_line_of_netrc(text: str, shown: str) -> None:
    assert hidden(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            '{"auths": {"x": {"auth": "Ym9iOmh1bnRlcjI="}}}',
            f'{{"auths": {{"x": {{"auth": "{MARK}"}}}}}}',
        ),
        ('{"auth": "basic"}', '{"auth": "basic"}'),
        ("Authorization: Bot abc.def", f"Authorization: {MARK}"),
        ("Authorization: GenieKey 0123-4567", f"Authorization: {MARK}"),
        ("DD-APPLICATION-KEY: " + HEX[:40], f"DD-APPLICATION-KEY: {MARK}"),
        ("DD_APP_KEY=" + HEX[:40], f"DD_APP_KEY={MARK}"),
        ("HEROKU_API_KEY=" + HEX[:36], f"HEROKU_API_KEY={MARK}"),
        ("AccountKey=" + MIXED[:60] + "==;Endpoint=x", f"AccountKey={MARK};Endpoint=x"),
        ("SharedAccessKey=" + MIXED[:40], f"SharedAccessKey={MARK}"),
        ("?sv=2024&sig=" + MIXED[:40] + "%3D", f"?sv=2024&sig={MARK}"),
        ("application keys: 3", "application keys: 3"),
        ("the foreign key: id", "the foreign key: id"),
    ],
)
def test_settings_and_headers(text: str, shown: str) -> None:
    assert hidden(text) == shown


def test_the_lines_of_a_putty_key() -> None:
    text = (
        "Encryption: none\nPrivate-Lines: 2\n"
        + MIXED[:64]
        + "\n"
        + MIXED[:20]
        + "==\nPrivate-MAC: 1"
    )
    assert MIXED[:20] not in hidden(text)
    assert hidden("Private-Lines: 2\nof text") == "Private-Lines: 2\nof text"


ADVERSARIAL = ["curl -u ", "-u", "login a password ", "SG.a.", "/bot123456:", "-us", "q~", "SK0a"]


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_many_of_a_kind_take_a_time_that_grows_with_the_text(piece: str) -> None:
    import time

    def taken(size: int) -> float:
        started = time.process_time()
        hidden(piece * (size // len(piece)))
        return time.process_time() - started

    assert taken(400_000) < 12 * taken(100_000) + 0.5
