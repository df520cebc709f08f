# ruff: noqa: E501  the table of edits is easier to read with one edit a line
"""A program of Flask, what to ask it, and edits: what each is, its pieces, and what to ask from then on."""

APP = """
from flask import Flask, Blueprint, render_template, url_for, jsonify, g, request, request_started, abort
from flask.views import MethodView
from werkzeug.routing import BaseConverter
import functools
import sys
from views import bp, inner
from helper import GREETING, shout

app = Flask(__name__)
app.config["LEVEL"] = 1
app.secret_key = "a"
log = []


class Hex(BaseConverter):
    regex = "[0-9a-f]+"

    def to_python(self, value):
        return int(value, 16)


app.url_map.converters["hex"] = Hex


def loud(f):
    @functools.wraps(f)
    def inner_(*a, **k):
        return shout(f(*a, **k))
    return inner_


@app.before_request
def first():
    g.trail = ["first"]


@app.after_request
def header(response):
    response.headers["X-Trail"] = ",".join(g.get("trail", []))
    return response


@app.context_processor
def names():
    return {"site": "Site"}


@app.template_filter("twice")
def twice(s):
    return s * 2


@app.errorhandler(404)
def missing(error):
    return "missing", 404


@app.route("/")
def index():
    return GREETING


@app.route("/page/<int:n>")
def page(n):
    return f"page {n}"


@app.route("/loud")
@loud
def hear():
    return "hear"


@app.route("/hex/<hex:n>")
def hexa(n):
    return str(n)


@app.route("/tpl")
def tpl():
    return render_template("a.html", word="ab")


@app.route("/config")
def config():
    return jsonify(b=app.config["LEVEL"], a=2)


@app.route("/url")
def url():
    return url_for("page", n=3)


@app.route("/fail")
def fail():
    raise KeyError("x")


class Items(MethodView):
    def get(self, id=None):
        return f"items {id}"


app.add_url_rule("/items/<int:id>", view_func=Items.as_view("items"))


def started(sender, **extra):
    g.started = "yes"


request_started.connect(started, app)


@app.route("/started")
def was_started():
    return g.get("started", "no")


app.register_blueprint(bp, url_prefix="/api")

if __name__ == "__main__":
    app.run(port=int(sys.argv[1]), threaded=True, use_reloader=False)
"""
VIEWS = """
from flask import Blueprint, g

bp = Blueprint("api", __name__)
inner = Blueprint("inner", __name__)


@bp.before_request
def guard():
    g.trail.append("guard")


@bp.route("/one")
def one():
    return "one"


@bp.route("/two")
def two():
    return "two"


@inner.route("/deep")
def deep():
    return "deep"


bp.register_blueprint(inner, url_prefix="/inner")
"""
FILES = {
    "app.py": APP,
    "views.py": VIEWS,
    "helper.py": """
GREETING = "hello"


def shout(s):
    return s.upper()
""",
    "templates/a.html": "{{ site }} {{ word|twice }}",
}
WORDS = ["app.py", "{port}"]
ASK = [
    "GET /",
    "GET /page/3",
    "GET /loud",
    "GET /hex/ff",
    "GET /tpl",
    "GET /config",
    "GET /url",
    "GET /fail",
    "GET /items/3",
    "POST /items/3 x=1",
    "GET /started",
    "GET /api/one",
    "GET /api/two",
    "GET /api/inner/deep",
    "GET /nothing",
    "GET /page/x",
]
A, V = "app.py", "views.py"
EDITS = [
    ("view body", [(A, 'return f"page {n}"', 'return f"page: {n}"')]),
    ("route path", [(A, '"/page/<int:n>"', '"/pages/<int:n>"')], "GET /pages/3"),
    (
        "route added defaults",
        [(A, '@app.route("/pages/<int:n>")', '@app.route("/pages/", defaults={"n": 1})\n@app.route("/pages/<int:n>")')],
        "GET /pages/",
    ),
    ("blueprint prefix", [(A, 'url_prefix="/api"', 'url_prefix="/v2"')], "GET /v2/one", "GET /v2/inner/deep"),
    ("inner prefix", [(V, 'url_prefix="/inner"', 'url_prefix="/core"')], "GET /v2/core/deep"),
    (
        "before_request added",
        [
            (
                A,
                "@app.after_request",
                '@app.before_request\ndef second():\n    g.trail.append("second")\n\n\n@app.after_request',
            )
        ],
    ),
    ("before_request body", [(A, 'g.trail = ["first"]', 'g.trail = ["begin"]')]),
    ("before_request removed", [(A, '@app.before_request\ndef second():\n    g.trail.append("second")\n\n\n', "")]),
    (
        "before_app_request in bp",
        [
            (
                V,
                '@bp.route("/one")',
                '@bp.before_app_request\ndef everywhere():\n    g.trail.append("all")\n\n\n@bp.route("/one")',
            )
        ],
    ),
    (
        "before_app_request removed",
        [(V, '@bp.before_app_request\ndef everywhere():\n    g.trail.append("all")\n\n\n', "")],
    ),
    ("context processor body", [(A, '"Site"', '"Web"')]),
    (
        "context processor added",
        [
            (
                A,
                "@app.template_filter",
                '@app.context_processor\ndef more():\n    return {"more": "MORE"}\n\n\n@app.template_filter',
            ),
            ("templates/a.html", "{{ site }}", "{{ site }}{{ more }}"),
        ],
    ),
    ("context processor removed", [(A, '@app.context_processor\ndef more():\n    return {"more": "MORE"}\n\n\n', "")]),
    (
        "filter renamed",
        [
            (A, 'template_filter("twice")', 'template_filter("double")'),
            ("templates/a.html", "word|twice", "word|double"),
        ],
    ),
    ("filter body", [(A, "return s * 2", "return s * 3")]),
    ("template", [("templates/a.html", "{{ site }}", "<{{ site }}>")]),
    (
        "filter added",
        [
            (
                A,
                "@app.errorhandler(404)",
                '@app.template_filter()\ndef star(s):\n    return "*" + s\n\n\n@app.errorhandler(404)',
            ),
            ("templates/a.html", "word|double", "word|star"),
        ],
    ),
    (
        "template global added",
        [
            (
                A,
                "@app.errorhandler(404)",
                '@app.template_global()\ndef glob():\n    return "G"\n\n\n@app.errorhandler(404)',
            ),
            ("templates/a.html", "word|star", "glob()"),
        ],
    ),
    ("template global removed", [(A, '@app.template_global()\ndef glob():\n    return "G"\n\n\n', "")]),
    ("errorhandler body", [(A, 'return "missing", 404', 'return "gone", 404')]),
    (
        "errorhandler added class",
        [
            (
                A,
                "@app.errorhandler(404)",
                '@app.errorhandler(KeyError)\ndef key(error):\n    return "key", 400\n\n\n@app.errorhandler(404)',
            )
        ],
    ),
    ("errorhandler class changed", [(A, "@app.errorhandler(KeyError)", "@app.errorhandler(LookupError)")]),
    ("errorhandler code changed", [(A, "@app.errorhandler(404)", "@app.errorhandler(410)")]),
    ("errorhandler removed", [(A, '@app.errorhandler(LookupError)\ndef key(error):\n    return "key", 400\n\n\n', "")]),
    (
        "MethodView post added",
        [
            (
                A,
                '        return f"items {id}"\n',
                '        return f"items {id}"\n\n    def post(self, id):\n        return f"posted {id}"\n',
            )
        ],
    ),
    ("MethodView get removed", [(A, '    def get(self, id=None):\n        return f"items {id}"\n\n', "")]),
    ("MethodView rule", [(A, '"/items/<int:id>"', '"/things/<int:id>"')], "POST /things/4 a=1"),
    ("as_view name", [(A, 'as_view("items")', 'as_view("things")')]),
    ("converter body", [(A, "return int(value, 16)", "return int(value, 17)")]),
    ("converter renamed", [(A, 'converters["hex"]', 'converters["h"]'), (A, "<hex:n>", "<h:n>")]),
    ("config", [(A, '["LEVEL"] = 1', '["LEVEL"] = 2')]),
    ("json sort", [(A, 'app.secret_key = "a"', 'app.secret_key = "a"\napp.json.sort_keys = False')]),
    ("decorator body", [(A, "return shout(f(*a, **k))", 'return shout(f(*a, **k)) + "?"')]),
    ("decorator dropped", [(A, '@app.route("/loud")\n@loud\n', '@app.route("/loud")\n')]),
    ("helper", [("helper.py", "s.upper()", "s.title()"), ("helper.py", '"hello"', '"hi"')]),
    ("signal body", [(A, 'g.started = "yes"', 'g.started = "really"')]),
    (
        "signal renamed",
        [
            (A, "def started(", "def begun("),
            (A, "request_started.connect(started, app)", "request_started.connect(begun, app)"),
        ],
    ),
    ("signal removed", [(A, "request_started.connect(begun, app)\n", "")]),
    (
        "move view to blueprint",
        [
            (A, '@app.route("/url")\ndef url():\n    return url_for("page", n=3)\n\n\n', ""),
            (V, "@inner.route", '@bp.route("/url")\ndef url():\n    return url_for("page", n=3)\n\n\n@inner.route'),
            (V, "Blueprint, g", "Blueprint, g, url_for"),
        ],
        "GET /v2/url",
    ),
    (
        "new blueprint file",
        [
            (
                "more.py",
                None,
                'from flask import Blueprint\nmore = Blueprint("more", __name__)\n\n\n@more.get("/more")\ndef more_():\n    return "more"\n',
            ),
            (A, "from helper import", "from more import more\nfrom helper import"),
            (
                A,
                'app.register_blueprint(bp, url_prefix="/v2")',
                'app.register_blueprint(bp, url_prefix="/v2")\napp.register_blueprint(more)',
            ),
        ],
        "GET /more",
    ),
    ("view in new blueprint", [("more.py", '"/more"', '"/most"')], "GET /most"),
    ("unregister blueprint", [(A, "\napp.register_blueprint(more)", "")]),
    ("view to async name change", [(A, "def page(n)", "def the_page(n)"), (V, '"page"', '"the_page"')]),
    (
        "add_url_rule function",
        [
            (
                A,
                "app.register_blueprint(bp",
                'def plain():\n    return "plain"\n\n\napp.add_url_rule("/plain", "plain", plain)\napp.register_blueprint(bp',
            )
        ],
        "GET /plain",
    ),
    ("add_url_rule changed", [(A, '"/plain", "plain", plain', '"/plainer", "plain", plain')], "GET /plainer"),
    ("methods", [(A, '@app.route("/tpl")', '@app.post("/tpl")')], "POST /tpl x=1"),
    (
        "after_request removed",
        [
            (
                A,
                '@app.after_request\ndef header(response):\n    response.headers["X-Trail"] = ",".join(g.get("trail", []))\n    return response\n\n\n',
                "",
            )
        ],
    ),
]
