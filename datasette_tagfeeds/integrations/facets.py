"""A facet by tag, for every way to store tags: ?_facet_tag= and the name of a source."""

from __future__ import annotations

from typing import Any

from datasette.facets import Facet
from datasette.utils import path_with_added_args, path_with_removed_args

from .. import statements, store
from ..errors import TagfeedsError
from ..model import Source
from .place import FILTER, Place, place

PARAMETER = "_facet_tag"
NAME = "tags"
# What Datasette suggests facets for by itself.
SUGGESTED_ALREADY = ("JSON array", "one tag in a column")


class TagFacet(Facet):  # type: ignore[misc]
    """Datasette's facets, by tag."""

    type = "tag"

    async def suggest(self) -> list[dict[str, Any]]:
        """A facet for each source over the table that Datasette has none for."""
        here = await self._place()
        chosen = {config["config"].get("simple") for config in self.get_configs()}
        return [
            {"name": _name(one, here), "type": self.type, "toggle_url": self._address(path_with_added_args, {PARAMETER: one.name})}
            for one in (here.items if here else ())
            if one.name not in chosen and one.tags.shape not in SUGGESTED_ALREADY
        ]

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        """The most used tags of the page's rows, with counts; and the names of facets that took too long."""
        configs = self.get_configs()
        here = await self._place() if configs else None
        if not here:
            return [], []
        found, late = [], []
        for config in configs:
            wanted = config["config"].get("simple")
            for source in here.items:
                if source.name == wanted:
                    try:
                        found.append(await self._results(here, source, config["source"] != "metadata"))
                    except TagfeedsError:
                        late.append(_name(source, here))
        return found, late

    async def _results(self, here: Place, source: Source, hideable: bool) -> dict[str, Any]:
        size, bound = self.get_facet_size(), dict(self.params or {})
        unlisted = sorted(here.site.settings.hidden)
        statement = statements.tags_among(source, self.sql, bound, unlisted, size + 1)
        limit = self.ds.setting("facet_time_limit_ms")
        rows = await store.Store(self.ds, [source], store.now()).briefly(self.database, statement, limit)
        return {
            "name": _name(source, here),
            "type": self.type,
            "hideable": hideable,
            "toggle_url": self._address(path_with_removed_args, {PARAMETER: source.name}),
            "results": [self._value(tag, count, tag in here.tags) for tag, count in rows[:size] if "\ufffd" not in tag],
            "truncated": len(rows) > size,
        }

    def _value(self, tag: str, count: int, selected: bool) -> dict[str, Any]:
        change = path_with_removed_args if selected else path_with_added_args
        return {
            "value": tag,
            "label": tag,
            "count": count,
            "toggle_url": self._address(change, {FILTER: tag}),
            "selected": selected,
        }

    def _address(self, change: Any, arguments: dict[str, str]) -> str:
        """This page with a parameter more or less, from its beginning."""
        path = str(self.ds.urls.table(self.database, self.table))
        first = {"_next": self.request.args.get("_next")} if change is path_with_removed_args else {"_next": None}
        return str(self.ds.absolute_url(self.request, change(self.request, {**arguments, **first}, path=path)))

    async def _place(self) -> Place | None:
        return await place(self.ds, self.request, self.database, self.table)


def _name(source: Source, here: Place | None) -> str:
    return NAME if not here or len(here.items) < 2 else f"{source.label}: {NAME}"
