"""Addresses of work on many links at once."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
