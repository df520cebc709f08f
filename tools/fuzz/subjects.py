"""What is edited: modules of the standard library, copied into a package, and installed packages, copied whole.

Around a module stand two that use it: a package that imports all from it, and one with constants, defaults, subclasses
and values that were made from what it has. Left out is what does something when it is imported or built.
"""

from __future__ import annotations

import ast
import importlib.util
import sysconfig
from pathlib import Path
from random import Random
from typing import Final

Files = dict[str, str]

STANDARD: Final = tuple(
    (
        "abc argparse ast base64 bisect bdb calendar cmd code codeop collections/abc.py colorsys configparser "
        "contextlib copy copyreg csv dataclasses difflib dis enum filecmp fileinput fnmatch fractions functools "
        "getopt gettext glob graphlib hashlib heapq hmac imaplib inspect ipaddress keyword linecache locale "
        "mimetypes netrc numbers opcode operator optparse pickle pickletools plistlib pprint profile pstats quopri "
        "random reprlib sched secrets selectors shelve shlex smtplib sre_compile statistics string stringprep "
        "symtable tabnanny textwrap timeit token tokenize traceback types typing uuid warnings weakref zipapp "
        "nntplib telnetlib ftplib poplib socketserver tarfile zipfile/_path.py html/parser.py html/__init__.py "
        "http/cookies.py http/cookiejar.py json/decoder.py json/encoder.py email/message.py email/header.py "
        "email/charset.py email/utils.py logging/handlers.py urllib/parse.py urllib/robotparser.py "
        "xml/dom/minidom.py xml/sax/handler.py xml/sax/saxutils.py wsgiref/headers.py wsgiref/util.py "
        "asyncio/queues.py asyncio/locks.py asyncio/protocols.py concurrent/futures/_base.py unittest/mock.py "
        "unittest/case.py importlib/_abc.py importlib/metadata/_text.py _pydatetime _collections_abc _py_abc "
        "_markupbase _strptime"
    ).split()
)
PACKAGES: Final = tuple(
    (
        "packaging pluggy tomlkit pathspec markupsafe click idna attr itsdangerous jinja2 iniconfig blinker "
        "annotated_types typing_inspection marshmallow tabulate"
    ).split()
)


def standard(name: str, rng: Random) -> Files | None:
    """Return the package ``lab`` with the module `name` of the standard library and its two users."""
    path = Path(sysconfig.get_path("stdlib"), name if name.endswith(".py") else f"{name}.py")
    if not path.exists():
        return None
    text = path.read_text("utf-8")
    module = f"m_{path.stem.strip('_')}"
    if "\n    from ." in text or "\nfrom ." in text:
        package = ".".join(path.relative_to(sysconfig.get_path("stdlib")).parts[:-1])
        text = text.replace("\nfrom .", f"\nfrom {package}.").replace(f"\nfrom {package}. ", f"\nfrom {package} ")
    user = _user(text, f"lab.{module}", rng)
    return {"lab/__init__.py": f"from lab.{module} import *\n", f"lab/{module}.py": text, "lab/user.py": user}


def installed(name: str) -> Files | None:
    """Return the files of the installed package `name`."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.origin or not spec.origin.endswith("__init__.py"):
        return None
    folder = Path(spec.origin).parent
    paths = [path for path in folder.rglob("*.py") if "test" not in path.as_posix().removeprefix(str(folder))]
    return {path.relative_to(folder.parent).as_posix(): path.read_text("utf-8") for path in paths}


def _user(text: str, module: str, rng: Random) -> str:
    """Return a module that imports from `module` by name and makes things of what it has."""
    body = ast.parse(text).body
    classes = [n.name for n in body if isinstance(n, ast.ClassDef)]
    functions = [n.name for n in body if isinstance(n, ast.FunctionDef)]
    values = [n.targets[0].id for n in body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)]
    lines = [f"import {module} as whole"]
    for number, name in enumerate(rng.sample(values, min(4, len(values)))):
        lines += [f"from {module} import {name}", f"VALUE_{number} = ({name}, 1)", f"OTHER_{number} = whole.{name}"]
    for number, name in enumerate(rng.sample(functions, min(4, len(functions)))):
        lines += [f"from {module} import {name} as call_{number}", f"TABLE_{number} = {{'{name}': call_{number}}}"]
        lines += [f"def use_{number}(f=call_{number}, *rest):\n    return f(*rest) or call_{number}"]
    for number, name in enumerate(rng.sample(classes, min(3, len(classes)))):
        lines += [f"from {module} import {name}", f"KINDS_{number} = [{name}]"]
        lines += [f"try:\n    class Sub{number}({name}):\n        pass\nexcept TypeError:\n    pass"]
    return "\n".join(lines) + "\n"


def needed() -> list[str]:
    """Return what a process is to import before it is forked: the engine, what subjects import, not themselves."""
    found = {"hotswap._reloader", "hotswap._works", "hotswap._watch._inotify", "dataclasses", "inspect", "typing"}
    texts = [standard(name, Random(0)) for name in STANDARD] + [installed(name) for name in PACKAGES]
    for text in [text for files in texts if files for text in files.values()]:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                found.update(one.name for one in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module)
    quiet = {
        "antigravity",
        "this",
        "idlelib",
        "tkinter",
        "lab",
        "turtle",
        "winreg",
        "pytest",
        "_pytest",
        "django",
        "numpy",
    }
    return sorted(name for name in found if name.partition(".")[0] not in {*PACKAGES, *quiet})
