from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "linkadmin.demo"

    def ready(self) -> None:
        from . import guard  # noqa: F401
