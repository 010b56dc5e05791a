"""Importing an application by ``module:attribute``; what keeps it from loading, in one line."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from pytest_rollout.model.spelling import nearest

_OF_WSGI = 2  # the environment and `start_response`; ASGI gives three, or once one
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class NotLoadedError(Exception):
    """An application cannot be imported or made; the message is one line for people."""


def module_of(app: str) -> ModuleType:
    """Return the module of an application, imported; raises NotLoadedError."""
    name, colon, attribute = app.partition(":")
    if not (name and colon and attribute):
        raise NotLoadedError(f"{app!r:.80} is no application; write module:attribute")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise NotLoadedError(_no_module(error.name)) from error
        raise NotLoadedError(told(error)) from error
    except Exception as error:  # a module of somebody else raises what it likes
        raise NotLoadedError(told(error)) from error
    names = attribute.split(".")
    if not hasattr(module, names[0]):
        known = [var for var in vars(module) if not var.startswith("_")]
        fix = nearest(names[0], known, f"write the application's name, as {name}:app")
        raise NotLoadedError(f"{_shown(str(module.__file__))} has no `{names[0]}` ({fix})")
    refuse_wsgi(getattr(module, names[0]) if len(names) == 1 else None, app)
    return module


def refuse_wsgi(application: object, app: str) -> None:
    """Raise NotLoadedError for an application of WSGI: each of its answers would be a 500."""
    if inspect.isclass(application) or not callable(application):
        return
    try:
        parameters = inspect.signature(application).parameters.values()
    except (TypeError, ValueError):
        return
    needed = [
        parameter
        for parameter in parameters
        if parameter.default is parameter.empty and parameter.kind in _POSITIONAL
    ]
    if len(needed) == _OF_WSGI:
        name = app.partition(":")[0]
        raise NotLoadedError(
            f"it speaks WSGI, as those of Flask do, and what is served speaks ASGI (`pip install "
            f"a2wsgi`, state `asgi = a2wsgi.WSGIMiddleware(…)` in {name}, and serve `{name}:asgi`)"
        )


def _no_module(name: str) -> str:
    parent, _, last = name.rpartition(".")
    folders: Iterable[str] = (str(Path.cwd()),)
    if parent:
        folders = getattr(sys.modules.get(parent), "__path__", ())
    known = [module.name for module in pkgutil.iter_modules(list(folders))]
    where = f"{last}.py or {last}/__init__.py"
    below = f"{parent.replace('.', '/')}/" if parent else "the project's root"
    return f"there is no module `{name}` ({nearest(last, known, f'looked for {where} in {below}')})"


def told(error: BaseException) -> str:
    """Return an error with the file and line where it was raised, nearest to the project's files.

    What libraries raise is told with the line of the project that called them.
    """
    text = " ".join(str(error).split())
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, SyntaxError):
        place = f"{_shown(error.filename)}:{error.lineno}" if error.filename else ""
        return f"{place}: {type(error).__name__}: {error.msg}" if place else said
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if _is_ours(frame.filename)]
    return f"{_shown(mine[-1].filename)}:{mine[-1].lineno}: {said}" if mine else said


def _is_ours(file: str) -> bool:
    """Whether a file is the project's own: below its root, and installed by nobody."""
    path = Path(file)
    inside = path.is_absolute() and path.is_relative_to(Path.cwd())
    return inside and "site-packages" not in path.parts and path != Path(__file__)


def _shown(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else path.name
