"""What an error may say: a code and a sentence, and nothing of what is behind it."""

from __future__ import annotations

import httpx

CODES = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "FAILED_PRECONDITION": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
}
INSIDES = ("Traceback", 'File "', "sqlite", "psycopg", "SELECT ", "INSERT ", ".py", "Bearer ")


def code(response: httpx.Response) -> str:
    """The code of an error, or what it answers instead."""
    try:
        said = response.json()
    except (ValueError, RecursionError):
        return f"no JSON, {response.status_code}"
    error = said.get("error") if isinstance(said, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("code"), str):
        return f"no error, {response.status_code}"
    why = len(str(error.get("message")).split()) >= 2
    return str(error["code"]) if why else f"{error['code']}, and not why"


def slips(response: httpx.Response, *wanted: str, hidden: tuple[str, ...] = ()) -> list[str]:
    """What is wrong with a refusal: its code, its status, or something that it gives away."""
    said = code(response)
    asked = f"{response.request.method} {response.request.url.path}"
    wrong = [] if said in wanted else [f"{asked}: {said}, not {' or '.join(wanted)}"]
    if said in CODES and response.status_code != CODES[said]:
        wrong.append(f"{asked}: {said} comes with {response.status_code}")
    text = response.text
    if said in CODES:
        body = response.json()
        if set(body) != {"error"} or set(body["error"]) != {"code", "message"}:
            wrong.append(f"{asked}: the error says more than a code and a message: {text[:120]}")
    wrong += [f"{asked}: the error shows {inside!r}" for inside in INSIDES if inside in text]
    wrong += [f"{asked}: the error gives away {it[:20]!r}" for it in hidden if it and it in text]
    return wrong
