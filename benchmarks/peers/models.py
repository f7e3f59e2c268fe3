"""The product's rows with the indexes that Django makes: foreign keys, unique, db_index."""

import uuid

from django.db import models


class Staff(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=150)

    def __str__(self) -> str:
        return self.name


class Integration(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.name


class Institution(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE)
    name = models.CharField(max_length=120)
    display_name = models.CharField(max_length=160, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "name"], name="peers_one_institution")]

    def __str__(self) -> str:
        return self.display_name


class EndUser(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    external_id = models.CharField(max_length=140, unique=True)
    name = models.CharField(max_length=128, db_index=True)

    def __str__(self) -> str:
        return self.name


class Link(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE)
    end_user = models.ForeignKey(EndUser, on_delete=models.CASCADE)
    institution = models.ForeignKey(Institution, on_delete=models.CASCADE)
    assignee = models.ForeignKey(Staff, on_delete=models.SET_NULL, null=True)
    remote_id = models.CharField(max_length=120, db_index=True)
    health = models.CharField(max_length=20, db_index=True, choices=[(each, each) for each in (
        "healthy", "stale", "waiting", "customer_code", "customer_login", "customer_consent", "customer_bank",
        "our_setup", "setting_up", "unknown", "disconnected",
    )])  # fmt: skip
    cause = models.CharField(max_length=40)
    health_since = models.DateTimeField(db_index=True)
    last_good_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        ordering = ["-health_since"]
        constraints = [models.UniqueConstraint(fields=["integration", "remote_id"], name="peers_one_link")]

    def __str__(self) -> str:
        return self.remote_id


class Delivery(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)
    payload = models.JSONField()

    def __str__(self) -> str:
        return str(self.id)
