"""One person for each role: nobody answers for two of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def one_person_each(roles: Sequence[str], people: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return for as many roles as possible a person of their own (augmenting paths).

    ``people`` has who could stand for each role. Earlier names are taken first.
    """
    pairs: dict[str, str] = {}

    def placed(role: str, tried: set[str]) -> bool:
        for person in sorted(people.get(role, ())):
            if person in tried:
                continue
            tried.add(person)
            taken = next((other for other, mine in pairs.items() if mine == person), None)
            if taken is None or placed(taken, tried):
                pairs[role] = person
                return True
        return False

    for role in roles:
        placed(role, set())
    return pairs
