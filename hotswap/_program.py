"""Runs a script, a folder, a zip file or a module as ``__main__``, as plain Python would.

A program must not notice who started it. So exceptions are not caught and printed here: they leave through the
interpreter's own exit path (exit codes, ``sys.last_exc``, the signal that kills after Ctrl-C, waiting for threads),
and only the frames below the program's own are cut from the traceback, at the last moment, in ``sys.excepthook``.
"""

from __future__ import annotations

import builtins
import os
import pkgutil
import runpy
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any, TypeVar

from hotswap._loader import take_away

Adopt = Callable[[str, bytes], None]
"""Told the path and the text that ``sys.modules['__main__']`` is about to be made from."""

Start = Callable[[str], Adopt]
"""Called with the program's folder once `sys.argv` and `sys.path` are the program's, before any of it is imported."""

_T = TypeVar("_T")


def run_path(path: str, argv: Sequence[str], start: Start) -> None:
    """Run the script `path` with `argv` behind it; a folder or zip file runs the ``__main__.py`` in it.

    Returns None when the program reaches its end. What it raises is raised on, `SystemExit` among it; a path that
    cannot be opened prints CPython's message and raises `SystemExit` with code 2.
    Relies on CPython making `__file__` absolute without normalising it, and `sys.path[0]` real (3.9 and later).
    """
    full = _absolute(path)
    if pkgutil.get_importer(full) is not None:
        return _run_folder(path, full, argv, start)
    text = _read(full)
    folder = os.path.dirname(os.path.realpath(full))
    _become_program([path, *argv], folder)
    adopt = start(folder)
    main = _new_main()
    if full.endswith(".pyc"):
        return _run_bytecode(main, full)
    code = _cut(_compile, text, full)
    _describe(main, full, SourceFileLoader("__main__", full))
    adopt(full, text)
    return _cut(exec, code, main.__dict__)


def run_module(name: str, argv: Sequence[str], start: Start) -> None:
    """Run module `name`, or ``name.__main__`` if it is a package, with `argv` behind it, as ``python -m`` does.

    Parent packages are imported first, after `start`. Raises as `run_path` does; a module that is not found raises
    `SystemExit` with CPython's message (exit code 1).
    """
    folder = os.getcwd()
    _become_program(["-m", *argv], folder)
    adopt = start(folder)
    main = _new_main()
    # Private, but the one place that has CPython's search, warnings and messages; unchanged from 3.4 to 3.14.
    _, spec, code = _find(runpy._get_module_details, name)  # type: ignore[attr-defined]
    sys.argv[0] = spec.origin or name
    _run_spec(main, spec, code, adopt)


def _run_folder(path: str, full: str, argv: Sequence[str], start: Start) -> None:
    """Run ``__main__`` of a folder or zip file, which goes to the front of `sys.path` even with ``-P``."""
    if sys.flags.safe_path:
        sys.path.insert(0, full)
    _become_program([path, *argv], full)
    adopt = start(full)
    main = _new_main()
    _, spec, code = _find(runpy._get_main_module_details)  # type: ignore[attr-defined]
    _run_spec(main, spec, code, adopt)


def _run_spec(main: ModuleType, spec: ModuleSpec, code: CodeType, adopt: Adopt) -> None:
    _describe(main, spec.origin, spec.loader, spec)
    if isinstance(spec.loader, SourceFileLoader) and spec.origin:
        text = spec.loader.get_data(spec.origin)
        code = _cut(_compile_again, spec.loader, text, spec.origin)
        adopt(spec.origin, text)
    _cut(exec, code, main.__dict__)


def _run_bytecode(main: ModuleType, path: str) -> None:
    loader = SourcelessFileLoader("__main__", path)
    _describe(main, path, loader)
    code = loader.get_code("__main__")
    assert code is not None  # this loader raises instead
    _cut(exec, code, main.__dict__)


def _find(search: Callable[..., Any], *args: object) -> tuple[str, ModuleSpec, CodeType]:
    """Call one of runpy's searches; end the process with its message where it finds nothing."""
    error = runpy._Error  # type: ignore[attr-defined]
    try:
        found: tuple[str, ModuleSpec, CodeType] = _cut(search, *args, error)
        return found
    except error as exc:
        message = f"{sys.executable}: {exc}"
    sys.exit(message)


def _absolute(path: str) -> str:
    """Return `path` as CPython makes it absolute: behind the current folder, on POSIX with every ``./`` and ``..``."""
    if os.name == "nt" or path in ("", "."):
        return os.path.abspath(path)
    return os.path.join(os.getcwd(), path)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as exc:
        reason = f"[Errno {exc.errno}] {exc.strerror}"
    _tell(f"{sys.orig_argv[0]}: can't open file {path!r}: {reason}\n")
    sys.exit(2)


def _become_program(argv: list[str], folder: str) -> None:
    """Put the program's arguments and folder where ours stood; with ``-P`` nothing of ours stands in `sys.path`."""
    sys.argv = argv
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _new_main() -> ModuleType:
    """Put an empty ``__main__`` into `sys.modules`, with the attributes that CPython's has before a program runs."""
    main = ModuleType("__main__")
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    vars(main)["__builtins__"] = builtins
    sys.modules["__main__"] = main
    return main


def _describe(main: ModuleType, path: str | None, loader: Any, spec: ModuleSpec | None = None) -> None:
    """Set what says where `main` comes from; a module has a spec and a parent, a script has neither."""
    main.__loader__ = loader
    main.__spec__ = spec
    main.__package__ = spec.parent if spec else None
    vars(main)["__file__"] = path
    vars(main)["__cached__"] = spec.cached if spec else None
    take_away([main])


def _compile(text: bytes, path: str) -> CodeType:
    """Compile a script's text; one without a declared encoding fails with the words CPython has for a file."""
    try:
        code: CodeType = compile(text, path, "exec", dont_inherit=True)
        return code
    except SyntaxError as exc:
        if "(unicode error) 'utf-8' codec" not in str(exc.msg):
            raise
        problem = exc
    raise _undeclared_encoding(text, path) or problem


def _undeclared_encoding(text: bytes, path: str) -> SyntaxError | None:
    try:
        text.decode()
    except UnicodeDecodeError as exc:
        line = text.count(b"\n", 0, exc.start) + 1
        return SyntaxError(
            f"Non-UTF-8 code starting with '\\x{text[exc.start]:02x}' in file {path} on line {line}, but no encoding"
            " declared; see https://peps.python.org/pep-0263/ for details"
        )
    return None


def _compile_again(loader: SourceFileLoader, text: bytes, path: str) -> CodeType:
    """Compile what the loader compiled a moment ago: this code is surely that of `text`, and has shown its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code: CodeType = loader.source_to_code(text, path)
        return code


def _cut(call: Callable[..., _T], *args: object) -> _T:
    """Call `call`; should it raise, what the interpreter prints begins at the first frame that is not of this file."""
    try:
        return call(*args)
    except SystemExit:
        raise
    except BaseException as exc:
        from hotswap._blame import name_edit  # most programs end without

        shown = exc.__traceback__
        while shown is not None and shown.tb_frame.f_globals is globals():
            shown = shown.tb_next
        name_edit(exc)
        _hide_frames(exc, shown)
        raise


def _hide_frames(exc: BaseException, shown: TracebackType | None) -> None:
    """Have the interpreter print `exc` with the traceback `shown`, through whatever hook is set now."""
    original = getattr(sys, "excepthook", None)

    def cut_and_print(kind: type[BaseException], value: BaseException, tb: TracebackType | None) -> None:
        if original is not None:
            sys.excepthook = original
        if value is exc:
            sys.last_traceback = tb = _below(tb, shown)
            value.__traceback__ = tb
        _print(original, kind, value, tb)

    sys.excepthook = cut_and_print


def _below(tb: TracebackType | None, shown: TracebackType | None) -> TracebackType | None:
    """Return `shown` under runpy's frames, which stand at the top of `tb` if we were run by ``-m`` ourselves.

    Plain Python shows them for ``-m`` alone, where the program has a spec.
    """
    if tb is None or tb.tb_frame.f_code.co_filename != "<frozen runpy>" or not _is_module():
        return shown
    return TracebackType(_below(tb.tb_next, shown), tb.tb_frame, tb.tb_lasti, tb.tb_lineno)


def _is_module() -> bool:
    return getattr(sys.modules.get("__main__"), "__spec__", None) is not None


def _print(hook: Any, kind: type[BaseException], value: BaseException, tb: TracebackType | None) -> None:
    """Do what CPython does with an exception that nobody caught, also where there is no hook or the hook fails."""
    if hook is None:
        _tell("sys.excepthook is missing\n")
        return sys.__excepthook__(kind, value, tb)
    try:
        return hook(kind, value, tb)  # type: ignore[no-any-return]
    except SystemExit:
        raise
    except BaseException as exc:  # noqa: BLE001  whatever a hook raises is shown, as CPython shows it
        failure = exc
    assert failure.__traceback__ is not None  # this frame
    _tell("Error in sys.excepthook:\n")
    sys.__excepthook__(type(failure), failure.with_traceback(failure.__traceback__.tb_next), None)
    _tell("\nOriginal exception was:\n")
    return sys.__excepthook__(kind, value, tb)


def _tell(text: str) -> None:
    if sys.stderr is not None:  # as under pythonw
        sys.stderr.write(text)
