from django.apps import AppConfig


class HeartbeatsConfig(AppConfig):
    name = "linkadmin.heartbeats"
    default_auto_field = "django.db.models.BigAutoField"
