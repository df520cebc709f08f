# ruff: noqa: E501  the table of edits is easier to read with one edit a line
"""A program of FastAPI, what to ask it, and edits: what each is, its pieces, and what to ask from then on."""

APP = """
import sys
from contextlib import asynccontextmanager
from enum import Enum
from typing import Annotated
from fastapi import FastAPI, Depends, Header, Query, Request, WebSocket, HTTPException, APIRouter, BackgroundTasks, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from routers import router, sub
from models import Item, Out, Kind
from deps import current, Pager, limit, Teapot

STARTED = []


@asynccontextmanager
async def lifespan(app):
    STARTED.append(1)
    yield


app = FastAPI(lifespan=lifespan, title="T")


@app.middleware("http")
async def stamp(request, call_next):
    response = await call_next(request)
    response.headers["X-Stamp"] = "1"
    return response


@app.exception_handler(Teapot)
async def teapot(request, error):
    return JSONResponse({"tea": error.args[0]}, status_code=418)


@app.get("/")
async def index():
    return {"v": 1}


@app.get("/me")
async def me(user: str = Depends(current)):
    return user


@app.get("/list")
def listing(pager: Annotated[Pager, Depends()], kind: Kind = Kind.a):
    return {"skip": pager.skip, "limit": pager.limit, "kind": kind}


@app.post("/items", response_model=Out)
async def create(item: Item):
    return {"name": item.name, "price": item.price, "secret": "s"}


@app.get("/tea")
def tea():
    raise Teapot("pot")


@app.get("/q")
def q(n: int = Query(1, le=10)):
    return n


@app.get("/limit")
def limited(n: int = Depends(limit)):
    return n


app.include_router(router, prefix="/r")
app.mount("/sub", sub)

if __name__ == "__main__":
    import uvicorn
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
"""
ROUTERS = """
from fastapi import APIRouter, Depends, FastAPI
from deps import current, check
from models import Item

router = APIRouter(tags=["r"], dependencies=[Depends(check)])
sub = FastAPI()


@router.get("/one")
def one():
    return "one"


@router.get("/two/{x}")
def two(x: int, user: str = Depends(current)):
    return [x, user]


@router.post("/many")
def many(items: list[Item]):
    return [i.name for i in items]


@sub.get("/s")
def s():
    return "s"
"""
MODELS = """
from enum import Enum
from pydantic import BaseModel, field_validator


class Kind(str, Enum):
    a = "a"
    b = "b"


class Tag(BaseModel):
    text: str = "t"


class Item(BaseModel):
    name: str
    price: float = 1.0
    tag: Tag = Tag()

    @field_validator("name")
    @classmethod
    def clean(cls, v):
        return v.strip()


class Out(BaseModel):
    name: str
"""
DEPS = """
from fastapi import Header, Query, HTTPException

MAX = 5


class Teapot(Exception):
    pass


def current(x_user: str = Header("nobody")):
    return x_user


def check():
    return None


def limit(n: int = 3):
    return min(n, MAX)


class Pager:
    def __init__(self, skip: int = 0, limit: int = 10):
        self.skip, self.limit = skip, limit
"""
FILES = {"app.py": APP, "routers.py": ROUTERS, "models.py": MODELS, "deps.py": DEPS}
WORDS = ["app.py", "{port}"]
ASK = [
    "GET /",
    "GET /me",
    "GET /list",
    "GET /list?kind=b",
    "GET /list?kind=c",
    'POST /items {"name": " n "}',
    "GET /tea",
    "GET /q?n=7",
    "GET /q?n=20",
    "GET /limit?n=7",
    "GET /r/one",
    "GET /r/two/3",
    'POST /r/many [{"name":" q "}]',
    "GET /sub/s",
    "GET /openapi.json",
    "GET /sub/openapi.json",
]
A, R, M, D = "app.py", "routers.py", "models.py", "deps.py"
EDITS = [
    ("body", [(A, '{"v": 1}', '{"v": 2}')]),
    (
        "router prefix",
        [(A, 'prefix="/r"', 'prefix="/v2"')],
        "GET /v2/one",
        "GET /v2/two/3",
        'POST /v2/many [{"name":" q "}]',
    ),
    (
        "dependency signature",
        [
            (
                D,
                'def current(x_user: str = Header("nobody")):\n    return x_user',
                'def current(x_user: str = Header("nobody"), lang: str = "en"):\n    return x_user + lang',
            )
        ],
        "GET /me?lang=de",
    ),
    ("dependency default", [(D, 'Header("nobody")', 'Header("someone")')]),
    ("dependency alias", [(D, 'lang: str = "en"', 'lang: str = Query("en", alias="l")')], "GET /me?l=fr"),
    ("dependency body", [(D, "x_user + lang", 'x_user + "-" + lang')]),
    (
        "router dependency raises",
        [
            (
                D,
                "def check():\n    return None",
                'def check(key: str = "k"):\n    if key != "k":\n        raise HTTPException(403)',
            )
        ],
        "GET /v2/one?key=z",
    ),
    (
        "dependency class init",
        [
            (
                D,
                "def __init__(self, skip: int = 0, limit: int = 10)",
                "def __init__(self, skip: int = 0, limit: int = 20, size: int = 0)",
            ),
            (D, "skip, limit\n", "skip + size, limit\n"),
        ],
        "GET /list?size=4",
    ),
    ("constant", [(D, "MAX = 5", "MAX = 6")]),
    ("constraint", [(A, "le=10", "le=30")]),
    (
        "model field",
        [
            (M, "price: float = 1.0", "price: float = 1.0\n    count: int = 1"),
            (A, '"secret": "s"', '"secret": item.count'),
        ],
        'POST /items {"name": "n", "count": "x"}',
    ),
    (
        "response model field",
        [(M, "class Out(BaseModel):\n    name: str", "class Out(BaseModel):\n    name: str\n    secret: int = 0")],
    ),
    ("response model other", [(A, "response_model=Out", "response_model=Item")]),
    (
        "response model by annotation",
        [
            (
                A,
                '@app.post("/items", response_model=Item)\nasync def create(item: Item):',
                '@app.post("/items")\nasync def create(item: Item) -> Out:',
            )
        ],
    ),
    ("validator", [(M, "return v.strip()", "return v.strip().upper()")]),
    (
        "validator added",
        [
            (
                M,
                '    @field_validator("name")',
                '    @field_validator("price")\n    @classmethod\n    def up(cls, v):\n        return v + 1\n\n    @field_validator("name")',
            )
        ],
    ),
    ("enum member", [(M, 'b = "b"', 'b = "b"\n    c = "c"')]),
    ("exception handler body", [(A, "status_code=418", "status_code=419")]),
    (
        "exception handler added",
        [
            (
                A,
                '@app.get("/")',
                '@app.exception_handler(404)\nasync def nf(request, error):\n    return PlainTextResponse("nope", status_code=404)\n\n\n@app.get("/")',
            )
        ],
        "GET /nothing",
    ),
    ("exception handler code", [(A, "@app.exception_handler(404)", "@app.exception_handler(405)")], "POST /q x=1"),
    (
        "exception handler removed",
        [
            (
                A,
                '@app.exception_handler(405)\nasync def nf(request, error):\n    return PlainTextResponse("nope", status_code=404)\n\n\n',
                "",
            )
        ],
    ),
    ("middleware body", [(A, '"X-Stamp"] = "1"', '"X-Stamp"] = "2"')]),
    (
        "middleware added",
        [
            (
                A,
                "@app.exception_handler(Teapot)",
                '@app.middleware("http")\nasync def more(request, call_next):\n    response = await call_next(request)\n    response.headers["X-More"] = "m"\n    return response\n\n\n@app.exception_handler(Teapot)',
            )
        ],
    ),
    (
        "middleware removed",
        [
            (
                A,
                '@app.middleware("http")\nasync def more(request, call_next):\n    response = await call_next(request)\n    response.headers["X-More"] = "m"\n    return response\n\n\n',
                "",
            )
        ],
    ),
    (
        "add_middleware",
        [
            (
                A,
                "app.include_router(router",
                "from starlette.middleware.gzip import GZipMiddleware\napp.add_middleware(GZipMiddleware, minimum_size=10)\napp.include_router(router",
            )
        ],
    ),
    (
        "route order",
        [(A, '@app.get("/q")', '@app.get("/{any}")\ndef anything(any: str):\n    return any\n\n\n@app.get("/q")')],
    ),
    ("route removed", [(A, '@app.get("/{any}")\ndef anything(any: str):\n    return any\n\n\n', "")]),
    ("status code", [(A, '@app.post("/items")', '@app.post("/items", status_code=201)')]),
    (
        "websocket / new route in router",
        [
            (
                R,
                '@router.post("/many")',
                '@router.get("/three")\ndef three():\n    return "three"\n\n\n@router.post("/many")',
            )
        ],
        "GET /v2/three",
    ),
    ("sub app route", [(R, '@sub.get("/s")', '@sub.get("/t")')], "GET /sub/t"),
    ("mount path", [(A, 'app.mount("/sub", sub)', 'app.mount("/under", sub)')], "GET /under/t"),
    ("router tags", [(R, 'APIRouter(tags=["r"]', 'APIRouter(tags=["q"]')]),
    ("router own prefix", [(R, "APIRouter(tags", 'APIRouter(prefix="/own", tags')], "GET /v2/own/one"),
    ("async to sync", [(A, "async def index", "def index")]),
    (
        "new file router",
        [
            (
                "more.py",
                None,
                'from fastapi import APIRouter\nmore = APIRouter()\n\n\n@more.get("/more")\ndef get_more():\n    return "more"\n',
            ),
            (A, "from routers", "from more import more\nfrom routers"),
            (
                A,
                'app.include_router(router, prefix="/v2")',
                'app.include_router(router, prefix="/v2")\napp.include_router(more)',
            ),
        ],
        "GET /more",
    ),
    ("more route", [("more.py", '"/more"', '"/most"')], "GET /most"),
    (
        "more dep",
        [(A, "app.include_router(more)", "app.include_router(more, dependencies=[Depends(limit)])")],
        "GET /most?n=x",
    ),
    ("include gone", [(A, "\napp.include_router(more, dependencies=[Depends(limit)])", "")]),
    ("dependency replaced", [(A, "user: str = Depends(current)", "user: str = Depends(limit)")]),
    (
        "path type",
        [(R, '/two/{x}")\ndef two(x: int', '/two/{x:path}")\ndef two(x: str')],
        "GET /v2/two/a/b",
        "GET /v2/own/two/a/b",
    ),
]
