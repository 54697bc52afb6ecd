"""The project, and a page with the bell as strict about scripts and styles as a page can be."""

from django.http import HttpResponse
from django.template import engines
from django.urls import path

from project.urls import urlpatterns as of_the_project

PAGE = """{% load notifier %}<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="/static/notifier/icon.svg"><title>A page</title></head>
<body><p><a href="#before">Before</a></p>{% notifier_bell %}<p><a href="#after">After</a></p></body></html>"""


def page(request):
    answer = HttpResponse(engines["django"].from_string(PAGE).render({}, request))
    answer["Content-Security-Policy"] = "default-src 'self'"
    return answer


urlpatterns = [path("page/", page), *of_the_project]
