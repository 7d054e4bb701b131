"""The tables of the made-up weblog."""

from typing import ClassVar

from django.db import models


class Tag(models.Model):
    """A tag."""

    tag = models.SlugField(unique=True)

    class Meta:
        managed = False
        db_table = "weblog_tag"


class Entry(models.Model):
    """An item with its tags."""

    title = models.CharField(max_length=255)
    body = models.TextField()
    created = models.DateTimeField()
    is_draft = models.BooleanField()
    tags: ClassVar[models.ManyToManyField] = models.ManyToManyField(Tag, db_table="weblog_entry_tags")

    class Meta:
        managed = False
        db_table = "weblog_entry"

    def get_absolute_url(self) -> str:
        """Where an entry's page would be."""
        return f"/{self.pk}"
