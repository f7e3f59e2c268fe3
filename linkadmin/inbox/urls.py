"""Addresses of what providers tell us."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
