"""A plain Django project on the product's database: stock middleware, stock templates, stock admin."""

from linkadmin.settings import *  # noqa: F403
from linkadmin.settings import INSTALLED_APPS as OURS

AUTHENTICATION_BACKENDS = ["benchmarks.peers.auth.Everything"]
INSTALLED_APPS = [app for app in OURS if not app.startswith(("csp", "template_partials"))]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",  # its application insists on it
]
ROOT_URLCONF = "benchmarks.peers.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
