"""Which release and configuration a target says it runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pytest_rollout.model.decision import canonical
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import Environment, FactSource, Plan
from pytest_rollout.targets.address import filled
from pytest_rollout.targets.fact_sources import Where, ask
from pytest_rollout.targets.mocks import mocked
from pytest_rollout.targets.release_name import chosen, release_name
from pytest_rollout.targets.trouble import trouble


def identify(when: str, plan: Plan, environment: Environment, root: Path) -> ReleaseFact:
    """Return what an environment that runs already says of its release now.

    Whatever keeps it from being read is an error in the fact. Commands run in ``root``.
    """

    def where(name: str) -> str:
        target = environment.targets.get(name)
        return filled(str(target.address if target else ""), name)

    if plan.release is None:
        return ReleaseFact(when, None)
    if environment.embedded:
        return _rehearsed(when, plan.release, environment, root)
    return _read(when, plan.release, plan.configuration, where, root)


def read_identity(
    when: str,
    where: str | Where,
    release: FactSource | None,
    configuration: FactSource | None,
) -> ReleaseFact:
    """Return what targets say now; what cannot be read is an error in the fact.

    ``where`` is the URL of the one target, or gives that of each by its name.
    """
    urls = where if callable(where) else lambda _: where
    return _read(when, release, configuration, urls, Path.cwd())


def source_text(source: FactSource, environment: Environment, root: Path) -> str:
    """Return the text that a source gives now in a real environment; raises RolloutError."""

    def where(name: str) -> str:
        target = environment.targets.get(name)
        return filled(str(target.address if target else ""), name)

    return release_name(ask(source, where, root), source)


def _read(
    when: str,
    release: FactSource | None,
    configuration: FactSource | None,
    where: Where,
    folder: Path,
) -> ReleaseFact:
    version = reference = fingerprint = None
    try:
        if release is not None:
            answer = ask(release, where, folder)
            version, reference = release_name(answer, release), answer.reference
        if configuration is not None:
            answer = ask(configuration, where, folder)
            held = canonical(chosen(answer, configuration))
            fingerprint = hashlib.sha256(held.encode()).hexdigest()
            reference = reference or answer.reference
    except Exception as error:  # whatever keeps it from being read
        return ReleaseFact(when, None, error=trouble(error))
    return ReleaseFact(when, version, fingerprint, "mocked HTTP" if mocked() else reference)


def _rehearsed(
    when: str, release: FactSource, environment: Environment, folder: Path
) -> ReleaseFact:
    """Return the release of a rehearsal whose plan asks no target for it.

    It is the variable where that is set. A command may ask production, so that it is not run:
    then the release is what the rehearsal serves.
    """
    if release.variable:
        fact = _read(when, release, None, str, folder)
        if fact.release:
            return fact
    served = [target.serve for target in environment.targets.values() if target.serve]
    return ReleaseFact(when, ", ".join(dict.fromkeys(served)) or environment.name)
