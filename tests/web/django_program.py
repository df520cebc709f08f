# ruff: noqa: E501  the table of edits is easier to read with one edit a line
"""A program of Django, what to ask it, and edits: what each is, its pieces, and what to ask from then on."""

SETTINGS = """
SECRET_KEY = "k"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages", "django.contrib.admin", "rest_framework", "shop"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware", "mw.Stamp", "mw.function_mw"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": ["templates"], "APP_DIRS": True,
  "OPTIONS": {"context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages", "shop.context.site"]}}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:mem?mode=memory&cache=shared"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
STATIC_URL = "/static/"
LEVEL = 1
APPEND_SLASH = False
"""
FILES = {
    "settings.py": SETTINGS,
    "manage.py": """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.management import execute_from_command_line
if __name__ == "__main__":
    execute_from_command_line(sys.argv)
""",
    "mw.py": """
class Stamp:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["X-Stamp"] = "1"
        return response

    def process_exception(self, request, exception):
        from django.http import HttpResponse
        return HttpResponse(f"caught {type(exception).__name__}", status=500)


def function_mw(get_response):
    tag = "f"

    def middleware(request):
        response = get_response(request)
        response["X-Function"] = tag
        return response

    return middleware
""",
    "urls.py": """
from django.contrib import admin
from django.urls import include, path, register_converter
from shop import views
from shop.converters import Hex

register_converter(Hex, "hex")

urlpatterns = [
    path("", views.index),
    path("shop/", include("shop.urls")),
    path("hex/<hex:n>", views.hexa),
    path("admin/", admin.site.urls),
    path("api/", include("shop.api")),
]
""",
    "shop/__init__.py": "",
    "shop/apps.py": """
from django.apps import AppConfig

class ShopConfig(AppConfig):
    name = "shop"

    def ready(self):
        from shop import signals
""",
    "shop/signals.py": """
from django.core.signals import request_started
from django.dispatch import receiver

SEEN = []


@receiver(request_started)
def seen(sender, **kwargs):
    SEEN[:] = ["started"]
""",
    "shop/context.py": """
def site(request):
    return {"site": "Site"}
""",
    "shop/converters.py": """
class Hex:
    regex = "[0-9a-f]+"

    def to_python(self, value):
        return int(value, 16)

    def to_url(self, value):
        return hex(value)
""",
    "shop/models.py": """
from django.db import models


class ItemQuerySet(models.QuerySet):
    def cheap(self):
        return self.filter(price__lt=5)


class Item(models.Model):
    name = models.CharField(max_length=10)
    price = models.IntegerField(default=1, help_text="what it costs")

    objects = ItemQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return f"item {self.name}"

    def label(self):
        return self.name.upper()
""",
    "shop/forms.py": """
from django import forms
from .models import Item


class Contact(forms.Form):
    name = forms.CharField(max_length=5)

    def clean_name(self):
        return self.cleaned_data["name"].strip()


class ItemForm(forms.ModelForm):
    class Meta:
        model = Item
        fields = ["name"]
""",
    "shop/admin.py": """
from django.contrib import admin
from .models import Item


@admin.register(Item)
class ItemAdmin(admin.ModelAdmin):
    list_display = ["name"]
""",
    "shop/views.py": """
from django.conf import settings
from django.contrib import admin
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View
from django.views.generic import TemplateView
from .forms import Contact, ItemForm
from .models import Item
from . import signals


def index(request):
    return HttpResponse("index")


def hexa(request, n):
    return HttpResponse(str(n))


class Page(View):
    word = "page"

    def get(self, request):
        return HttpResponse(self.word)


class Tpl(TemplateView):
    template_name = "a.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(word="ab", **kwargs)


def contact(request):
    form = Contact(request.POST or None)
    return JsonResponse({"valid": form.is_valid(), "errors": form.errors, "fields": list(form.fields)})


def form(request):
    return HttpResponse(ItemForm().as_p())


def level(request):
    return HttpResponse(str(settings.LEVEL))


def item(request):
    i = Item(name="x")
    return JsonResponse({"str": str(i), "label": i.label(), "sql": str(Item.objects.cheap().query), "help": Item._meta.get_field("price").help_text})


def rev(request):
    return HttpResponse(reverse("shop:page"))


def fail(request):
    raise KeyError("x")


def seen(request):
    return JsonResponse(signals.SEEN, safe=False)


def adm(request):
    a = admin.site._registry.get(Item)
    return JsonResponse([a and list(a.get_list_display(request)), a and list(a.get_search_fields(request))], safe=False)
""",
    "shop/urls.py": """
from django.urls import path
from . import views

app_name = "shop"
urlpatterns = [
    path("page", views.Page.as_view(), name="page"),
    path("word", views.Page.as_view(word="word")),
    path("tpl", views.Tpl.as_view()),
    path("contact", views.contact),
    path("form", views.form),
    path("level", views.level),
    path("item", views.item),
    path("rev", views.rev),
    path("fail", views.fail),
    path("seen", views.seen),
    path("adm", views.adm),
]
""",
    "shop/templatetags/__init__.py": "",
    "shop/templatetags/extra.py": """
from django import template

register = template.Library()


@register.filter
def twice(s):
    return s * 2


@register.simple_tag
def star():
    return "*"
""",
    "templates/a.html": "{% load extra %}{{ site }} {{ word|twice }} {% star %}",
    "shop/api.py": """
from rest_framework import routers, serializers, viewsets
from rest_framework.decorators import action, api_view
from rest_framework.response import Response
from django.urls import path, include


class ItemSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=5)

    def validate_name(self, value):
        return value.strip()


class Things(viewsets.ViewSet):
    authentication_classes = []
    permission_classes = []

    def list(self, request):
        return Response([ItemSerializer({"name": "n", "price": 3}).data])

    def create(self, request):
        s = ItemSerializer(data=request.data)
        s.is_valid(raise_exception=True)
        return Response(s.validated_data)


@api_view(["GET"])
def plain(request):
    return Response({"plain": 1})


router = routers.SimpleRouter(trailing_slash=False)
router.register("things", Things, basename="thing")
urlpatterns = [path("plain", plain), path("", include(router.urls))]
""",
}
WORDS = ["manage.py", "runserver", "--noreload", "--skip-checks", "{port}"]
ASK = [
    "GET /",
    "GET /shop/page",
    "GET /shop/word",
    "GET /shop/tpl",
    "GET /shop/contact",
    "GET /shop/form",
    "GET /shop/level",
    "GET /shop/item",
    "GET /shop/rev",
    "GET /shop/fail",
    "GET /shop/seen",
    "GET /shop/adm",
    "GET /hex/ff",
    "GET /api/plain",
    "GET /api/things",
    'POST /api/things {"name": " x "}',
    "GET /nothing",
    "GET /admin/",
]
ASK[4] = "GET /shop/contact"
S, U, V, MW = "settings.py", "shop/urls.py", "shop/views.py", "mw.py"
EDITS = [
    ("view body", [(V, '"index"', '"home"')]),
    ("static setting", [(S, "LEVEL = 1", "LEVEL = 2")]),
    (
        "include prefix",
        [("urls.py", '"shop/"', '"store/"')],
        "GET /store/page",
        "GET /store/tpl",
        "GET /store/contact",
        "GET /store/form",
        "GET /store/level",
        "GET /store/item",
        "GET /store/rev",
        "GET /store/fail",
        "GET /store/seen",
        "GET /store/adm",
        "GET /store/word",
    ),
    ("url name/path", [(U, 'path("page"', 'path("leaf"')], "GET /store/leaf"),
    ("cbv attribute", [(V, 'word = "page"', 'word = "leaf"')]),
    (
        "cbv method added",
        [
            (
                V,
                "        return HttpResponse(self.word)\n",
                '        return HttpResponse(self.word)\n\n    def post(self, request):\n        return HttpResponse("posted")\n',
            )
        ],
        "POST /store/leaf x=1",
    ),
    ("as_view kwargs", [(U, 'word="word"', 'word="wort"')]),
    ("template", [("templates/a.html", "{{ site }}", "<{{ site }}>")]),
    ("context processor", [("shop/context.py", '"Site"', '"Web"')]),
    (
        "context processor renamed",
        [("shop/context.py", "def site(", "def place("), (S, "shop.context.site", "shop.context.place")],
    ),
    ("filter body", [("shop/templatetags/extra.py", "s * 2", "s * 3")]),
    (
        "filter renamed",
        [("shop/templatetags/extra.py", "def twice", "def thrice"), ("templates/a.html", "word|twice", "word|thrice")],
    ),
    (
        "tag added",
        [
            (
                "shop/templatetags/extra.py",
                "@register.simple_tag",
                '@register.simple_tag\ndef moon():\n    return "moon"\n\n\n@register.simple_tag',
            ),
            ("templates/a.html", "{% star %}", "{% moon %}"),
        ],
    ),
    ("tag removed", [("shop/templatetags/extra.py", '@register.simple_tag\ndef moon():\n    return "moon"\n\n\n', "")]),
    ("template back", [("templates/a.html", "{% moon %}", "")]),
    ("middleware body", [(MW, '"X-Stamp"] = "1"', '"X-Stamp"] = "2"')]),
    (
        "middleware process_view added",
        [
            (
                MW,
                "    def process_exception",
                '    def process_view(self, request, view, args, kwargs):\n        request.viewed = 1\n        from django.http import HttpResponse\n        return HttpResponse("intercepted") if "rev" in request.path else None\n\n    def process_exception',
            )
        ],
    ),
    ("middleware process_exception body", [(MW, 'f"caught', 'f"got')]),
    ("function middleware body", [(MW, '"X-Function"] = tag', '"X-Function"] = tag + "!"')]),
    ("function middleware constant", [(MW, 'tag = "f"', 'tag = "g"')]),
    ("MIDDLEWARE list", [(S, ', "mw.function_mw"]', "]")]),
    ("form field added", [("shop/forms.py", "max_length=5)\n", "max_length=5)\n    age = forms.IntegerField()\n")]),
    ("form field changed", [("shop/forms.py", "forms.IntegerField()", "forms.CharField(required=False)")]),
    ("form field removed", [("shop/forms.py", "    age = forms.CharField(required=False)\n", "")]),
    ("ModelForm fields", [("shop/forms.py", 'fields = ["name"]', 'fields = ["name", "price"]')]),
    ("model method", [("shop/models.py", "self.name.upper()", "self.name.title()")]),
    ("model __str__", [("shop/models.py", 'f"item {', 'f"Item {')]),
    ("queryset method", [("shop/models.py", "price__lt=5", "price__lt=6")]),
    (
        "queryset method added",
        [
            ("shop/models.py", "class Item(models", "class ItemX:\n    pass\n\n\nclass Item(models"),
            (V, "Item.objects.cheap()", "Item.objects.dear()"),
            (
                "shop/models.py",
                "    def cheap(self)",
                "    def dear(self):\n        return self.filter(price__gt=9)\n\n    def cheap(self)",
            ),
        ],
    ),
    ("converter body", [("shop/converters.py", "int(value, 16)", "int(value, 17)")]),
    ("signal body", [("shop/signals.py", '"started"', '"begun"')]),
    ("signal renamed", [("shop/signals.py", "def seen", "def noted")]),
    (
        "signal other",
        [
            ("shop/signals.py", "@receiver(request_started)", "@receiver(request_finished)"),
            ("shop/signals.py", "import request_started", "import request_finished"),
        ],
    ),
    ("admin attr", [("shop/admin.py", 'list_display = ["name"]', 'list_display = ["name", "price"]')]),
    ("admin new attr", [("shop/admin.py", "list_display =", 'search_fields = ["name"]\n    list_display =')]),
    ("admin class renamed", [("shop/admin.py", "class ItemAdmin", "class ThingAdmin")]),
    ("admin site header", [("shop/admin.py", "@admin.register", 'admin.site.site_header = "H"\n\n\n@admin.register')]),
    (
        "drf serializer field",
        [("shop/api.py", "max_length=5)\n", "max_length=5)\n    price = serializers.IntegerField(default=1)\n")],
    ),
    ("drf serializer field changed", [("shop/api.py", "IntegerField(default=1)", "IntegerField(default=2)")]),
    ("drf validator", [("shop/api.py", "value.strip()", "value.upper()")]),
    (
        "drf action added",
        [
            (
                "shop/api.py",
                "    def create(self",
                '    @action(detail=False)\n    def recent(self, request):\n        return Response("recent")\n\n    def create(self',
            )
        ],
        "GET /api/things/recent",
    ),
    (
        "drf register prefix",
        [("shop/api.py", 'register("things"', 'register("stuff"')],
        "GET /api/stuff",
        "GET /api/stuff/latest",
    ),
    (
        "drf method added",
        [
            (
                "shop/api.py",
                "    def create(self",
                "    def retrieve(self, request, pk=None):\n        return Response(pk)\n\n    def create(self",
            )
        ],
        "GET /api/stuff/3",
    ),
    (
        "drf register new",
        [("shop/api.py", "urlpatterns =", 'router.register("more", Things, basename="more")\nurlpatterns =')],
        "GET /api/more",
    ),
    (
        "handler404",
        [
            ("urls.py", "urlpatterns = [", 'handler404 = "shop.views.nf"\nurlpatterns = ['),
            (V, "def seen(", 'def nf(request, exception):\n    return HttpResponse("nf", status=404)\n\n\ndef seen('),
        ],
    ),
    ("handler404 body", [(V, 'HttpResponse("nf"', 'HttpResponse("nf!"')]),
    (
        "new app module urls",
        [
            (
                "shop/more.py",
                None,
                'from django.urls import path\nfrom . import views\nurlpatterns = [path("x", views.index)]\n',
            ),
            ("urls.py", 'path("admin/"', 'path("more/", include("shop.more")),\n    path("admin/"'),
        ],
        "GET /more/x",
    ),
    ("append slash setting", [(S, "APPEND_SLASH = False", "APPEND_SLASH = True")]),
    (
        "view decorator",
        [
            (V, "def index(request)", "@require_POST\ndef index(request)"),
            (
                V,
                "from django.views import View",
                "from django.views import View\nfrom django.views.decorators.http import require_POST",
            ),
        ],
    ),
]
