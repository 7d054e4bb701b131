"""One address: /tags/TAG.atom?size=30"""

from datetime import datetime

from django.contrib.syndication.views import Feed
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path
from django.utils.feedgenerator import Atom1Feed

from .models import Entry


class TagFeed(Feed):
    """The newest entries of a tag, with their whole bodies, drafts left out."""

    feed_type = Atom1Feed
    title = "Made up"
    link = "/"

    def get_object(self, request: HttpRequest, tag: str) -> tuple[str, int]:
        """The tag, and how many entries are asked for."""
        return tag, int(request.GET.get("size", 30))

    def items(self, asked: tuple[str, int]) -> QuerySet[Entry]:
        """What a weblog asks its database."""
        tag, size = asked
        return Entry.objects.filter(tags__tag=tag, is_draft=False).order_by("-created")[:size]

    def item_title(self, item: Entry) -> str:
        """The title, as it is."""
        return item.title

    def item_description(self, item: Entry) -> str:
        """The body."""
        return item.body

    def item_pubdate(self, item: Entry) -> datetime:
        """When it was published."""
        return item.created

    def item_updateddate(self, item: Entry) -> datetime:
        """When it was changed: then, too."""
        return item.created


urlpatterns = [path("tags/<str:tag>.atom", TagFeed())]
