"""What zero configuration should find in the databases of real applications.

Each schema keeps the application's own names, types, keys and the columns that tempt a guess; the rows are made up.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = str | int | float | None


@dataclass(frozen=True)
class Application:
    name: str
    schema: str  # an SQL script: tables and rows
    sources: dict[str, str]  # {item table: published column or ''}, exactly these
    tags: dict[str, list[str]]  # {tag: titles, newest first}; drafts, private and deleted left out, undated last
    where: dict[str, str] = field(default_factory=dict)  # {item table: a column that the predicate must mention}
    content: dict[str, str] = field(default_factory=dict)  # {item table: the column that is the body}


def literal(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def rows(table: str, columns: str, *values: tuple[Value, ...]) -> str:
    """The INSERT statement of some rows."""
    return f"INSERT INTO {table} ({columns}) VALUES\n" + ",\n".join("(" + ", ".join(map(literal, row)) + ")" for row in values) + ";\n"


APPLICATIONS: list[Application] = []

# Only shared bookmarks are public. A bundle is a saved search: its tag columns do not make it an item.
APPLICATIONS.append(
    Application(
        name="linkding",
        schema="""
CREATE TABLE auth_user (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, username varchar(150) NOT NULL UNIQUE);
CREATE TABLE bookmarks_tag (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(64) NOT NULL, date_added datetime NOT NULL,
  owner_id integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE bookmarks_bookmark (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, url varchar(2048) NOT NULL, title varchar(512) NOT NULL,
  description text NOT NULL, notes text NOT NULL, web_archive_snapshot_url varchar(2048) NOT NULL, favicon_file varchar(512) NOT NULL,
  unread bool NOT NULL, is_archived bool NOT NULL, shared bool NOT NULL, date_added datetime NOT NULL, date_modified datetime NOT NULL,
  date_accessed datetime NULL, owner_id integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE bookmarks_bookmark_tags (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  bookmark_id integer NOT NULL REFERENCES bookmarks_bookmark (id) DEFERRABLE INITIALLY DEFERRED,
  tag_id integer NOT NULL REFERENCES bookmarks_tag (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE bookmarks_bookmarkbundle (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(256) NOT NULL, search varchar(256) NOT NULL,
  any_tags varchar(1024) NOT NULL, all_tags varchar(1024) NOT NULL, excluded_tags varchar(1024) NOT NULL, date_created datetime NOT NULL,
  owner_id integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED);
"""
        + rows("auth_user", "id, password, username", (1, "pbkdf2_sha256$x", "ada"), (2, "pbkdf2_sha256$y", "bob"))
        + rows(
            "bookmarks_tag",
            "id, name, date_added, owner_id",
            *((n, t, "2024-01-01 08:00:00", 1) for n, t in enumerate(("python", "sqlite", "maps"), 1)),
        )
        + rows(
            "bookmarks_bookmark",
            "id, url, title, description, notes, web_archive_snapshot_url, favicon_file, unread, is_archived, shared, date_added, date_modified, date_accessed, owner_id",
            *(
                (
                    n,
                    f"https://example.com/{n}",
                    title,
                    f"About {title}.",
                    "",
                    "",
                    "",
                    n % 2,
                    0,
                    shared,
                    f"2024-03-{n:02} 09:30:00",
                    f"2024-05-{20 - n:02} 07:00:00",
                    None,
                    1,
                )
                for n, (title, shared) in enumerate(
                    (
                        ("Packaging guide", 1),
                        ("Query planner notes", 1),
                        ("Salary spreadsheet", 0),
                        ("Asyncio by example", 1),
                        ("Street map tiles", 1),
                        ("Holiday plans", 0),
                        ("Window functions", 1),
                    ),
                    1,
                )
            ),
        )
        + rows("bookmarks_bookmark_tags", "bookmark_id, tag_id", (1, 1), (2, 2), (3, 1), (4, 1), (4, 2), (5, 3), (6, 2), (6, 3), (7, 2))
        + rows(
            "bookmarks_bookmarkbundle",
            "name, search, any_tags, all_tags, excluded_tags, date_created, owner_id",
            ("Code", "", "python sqlite", "", "", "2024-04-01 08:00:00", 1),
            ("Travel", "city", "maps", "", "sqlite", "2024-04-02 08:00:00", 1),
        ),
        sources={"bookmarks_bookmark": "date_added"},
        tags={
            "sqlite": ["Window functions", "Asyncio by example", "Query planner notes"],
            "python": ["Asyncio by example", "Packaging guide"],
        },
        where={"bookmarks_bookmark": "shared"},
    )
)

# Multi-table inheritance: the title and `live` of a blog page are in the parent's table, under the same key.
APPLICATIONS.append(
    Application(
        name="wagtail",
        schema="""
CREATE TABLE wagtailcore_page (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, path varchar(255) NOT NULL UNIQUE, depth integer NOT NULL,
  numchild integer NOT NULL, title varchar(255) NOT NULL, slug varchar(255) NOT NULL, live bool NOT NULL, has_unpublished_changes bool NOT NULL,
  url_path text NOT NULL, seo_title varchar(255) NOT NULL, show_in_menus bool NOT NULL, search_description text NOT NULL, go_live_at datetime NULL,
  expire_at datetime NULL, expired bool NOT NULL, locked bool NOT NULL, draft_title varchar(255) NOT NULL, first_published_at datetime NULL,
  last_published_at datetime NULL, latest_revision_created_at datetime NULL);
CREATE TABLE blog_blogindexpage (page_ptr_id integer NOT NULL PRIMARY KEY REFERENCES wagtailcore_page (id) DEFERRABLE INITIALLY DEFERRED,
  intro text NOT NULL);
CREATE TABLE blog_blogpage (page_ptr_id integer NOT NULL PRIMARY KEY REFERENCES wagtailcore_page (id) DEFERRABLE INITIALLY DEFERRED,
  date date NOT NULL, intro varchar(250) NOT NULL, body text NOT NULL);
CREATE TABLE taggit_tag (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(100) NOT NULL UNIQUE, slug varchar(100) NOT NULL UNIQUE);
CREATE TABLE blog_blogpagetag (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  content_object_id integer NOT NULL REFERENCES blog_blogpage (page_ptr_id) DEFERRABLE INITIALLY DEFERRED,
  tag_id integer NOT NULL REFERENCES taggit_tag (id) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO blog_blogindexpage (page_ptr_id, intro) VALUES (2, 'News from the allotment');
"""
        + rows(
            "wagtailcore_page",
            "id, path, depth, numchild, title, slug, live, has_unpublished_changes, url_path, seo_title, show_in_menus, search_description, expired, locked, draft_title, first_published_at, last_published_at",
            *(
                (
                    n,
                    f"0001{n:04}",
                    3,
                    0,
                    title,
                    f"page-{n}",
                    live,
                    1 - live,
                    f"/home/page-{n}/",
                    "",
                    0,
                    "",
                    0,
                    0,
                    title,
                    published,
                    published,
                )
                for n, title, live, published in (
                    (1, "Root", 1, None),
                    (2, "Blog", 1, "2024-01-01 10:00:00"),
                    (3, "First seeds", 1, "2024-02-03 10:00:00"),
                    (4, "Compost heap", 1, "2024-02-14 10:00:00"),
                    (5, "Unfinished pond", 0, None),
                    (6, "Early potatoes", 1, "2024-03-06 10:00:00"),
                    (7, "Slug patrol", 1, "2024-03-17 10:00:00"),
                    (8, "Withdrawn recipe", 0, "2024-03-20 10:00:00"),
                    (9, "Summer beans", 1, "2024-04-09 10:00:00"),
                )
            ),
        )
        + rows(
            "blog_blogpage",
            "page_ptr_id, date, intro, body",
            *(
                (n, date, f"In short, {n}.", f"<p>The whole story of page {n}, with <b>details</b>.</p>")
                for n, date in (
                    (3, "2024-02-03"),
                    (4, "2024-02-14"),
                    (5, "2024-03-01"),
                    (6, "2024-03-06"),
                    (7, "2024-03-17"),
                    (8, "2024-03-20"),
                    (9, "2024-04-09"),
                )
            ),
        )
        + rows("taggit_tag", "id, name, slug", (1, "Vegetables", "vegetables"), (2, "Soil", "soil"), (3, "Wildlife", "wildlife"))
        + rows("blog_blogpagetag", "content_object_id, tag_id", (3, 1), (4, 2), (5, 3), (5, 2), (6, 1), (6, 2), (7, 3), (8, 1), (9, 1)),
        sources={"blog_blogpage": "date"},
        tags={"Vegetables": ["Summer beans", "Early potatoes", "First seeds"], "Soil": ["Early potatoes", "Compost heap"]},
        where={"blog_blogpage": "live"},
        content={"blog_blogpage": "body"},
    )
)

# Drafts, scheduled posts (dated in the future) and posts for members only are not public.
APPLICATIONS.append(
    Application(
        name="ghost",
        schema="""
CREATE TABLE users (id varchar(24) NOT NULL PRIMARY KEY, name varchar(191) NOT NULL, slug varchar(191) NOT NULL, email varchar(191) NOT NULL,
  password varchar(60) NOT NULL, status varchar(50) NOT NULL DEFAULT 'active', visibility varchar(50) NOT NULL DEFAULT 'public');
CREATE TABLE posts (id varchar(24) NOT NULL PRIMARY KEY, uuid varchar(36) NOT NULL, title varchar(2000) NOT NULL, slug varchar(191) NOT NULL,
  mobiledoc text, lexical text, html text, comment_id varchar(50), plaintext text, feature_image varchar(2000), featured boolean NOT NULL DEFAULT 0,
  type varchar(50) NOT NULL DEFAULT 'post', status varchar(50) NOT NULL DEFAULT 'draft', locale varchar(6),
  visibility varchar(50) NOT NULL DEFAULT 'public', email_recipient_filter text NOT NULL, created_at datetime NOT NULL, updated_at datetime,
  published_at datetime, custom_excerpt varchar(2000), canonical_url text);
CREATE TABLE tags (id varchar(24) NOT NULL PRIMARY KEY, name varchar(191) NOT NULL, slug varchar(191) NOT NULL UNIQUE, description text,
  parent_id varchar(24), visibility varchar(50) NOT NULL DEFAULT 'public', created_at datetime NOT NULL);
CREATE TABLE posts_tags (id varchar(24) NOT NULL PRIMARY KEY, post_id varchar(24) NOT NULL REFERENCES posts (id),
  tag_id varchar(24) NOT NULL REFERENCES tags (id), sort_order integer NOT NULL DEFAULT 0);
CREATE TABLE posts_authors (id varchar(24) NOT NULL PRIMARY KEY, post_id varchar(24) NOT NULL REFERENCES posts (id),
  author_id varchar(24) NOT NULL REFERENCES users (id), sort_order integer NOT NULL DEFAULT 0);
"""
        + rows("users", "id, name, slug, email, password", (f"{1:024x}", "Ada", "ada", "ada@example.com", "$2a$10$x"))
        + rows(
            "posts",
            "id, uuid, title, slug, html, plaintext, comment_id, status, visibility, email_recipient_filter, created_at, updated_at, published_at",
            *(
                (
                    f"64a1f0c2{n:016x}",
                    f"00000000-0000-4000-8000-{n:012}",
                    title,
                    f"post-{n}",
                    f"<p>Text of <em>post</em> {n}.</p>",
                    f"Text of post {n}.",
                    f"64a1f0c2{n:016x}",
                )
                + (status, visibility, "all", f"2024-01-{n:02} 07:00:00", "2024-06-01 07:00:00", published)
                for n, (title, status, visibility, published) in enumerate(
                    (
                        ("Sourdough basics", "published", "public", "2024-02-01 09:00:00"),
                        ("Rye on Sundays", "published", "public", "2024-04-02 09:00:00"),
                        ("Half an idea", "draft", "public", None),
                        ("Oven thermometers", "published", "public", "2024-03-03 09:00:00"),
                        ("For paying members", "published", "members", "2024-03-10 09:00:00"),
                        ("Next spring", "scheduled", "public", "2099-03-01 09:00:00"),
                        ("Flour mills", "published", "public", "2024-05-05 09:00:00"),
                    ),
                    1,
                )
            ),
        )
        + rows(
            "tags",
            "id, name, slug, description, created_at",
            *(
                (f"7e{n:022x}", name, name.lower(), None, "2024-01-01 07:00:00")
                for n, name in enumerate(("Bread", "Equipment", "Grain"), 1)
            ),
        )
        + rows(
            "posts_tags",
            "id, post_id, tag_id, sort_order",
            *(
                (f"5c{n:022x}", f"64a1f0c2{post:016x}", f"7e{tag:022x}", order)
                for n, (post, tag, order) in enumerate(
                    ((1, 1, 0), (2, 1, 1), (2, 3, 0), (3, 1, 0), (4, 2, 0), (4, 1, 1), (5, 1, 0), (5, 3, 1), (6, 1, 0), (7, 3, 0)), 1
                )
            ),
        )
        + rows("posts_authors", "id, post_id, author_id", *((f"4d{n:022x}", f"64a1f0c2{n:016x}", f"{1:024x}") for n in range(1, 8))),
        sources={"posts": "published_at"},
        tags={"Bread": ["Rye on Sundays", "Oven thermometers", "Sourdough basics"], "Grain": ["Flour mills", "Rye on Sundays"]},
        where={"posts": "status"},
        content={"posts": "html"},
    )
)

# No declared keys. Every post is in a category, one of them with the name of a tag: only the taxonomy post_tag are tags.
APPLICATIONS.append(
    Application(
        name="wordpress",
        schema="""
CREATE TABLE wp_users (ID integer NOT NULL PRIMARY KEY AUTOINCREMENT, user_login text NOT NULL DEFAULT '', user_pass text NOT NULL DEFAULT '',
  user_email text NOT NULL DEFAULT '', display_name text NOT NULL DEFAULT '');
CREATE TABLE wp_posts (ID integer NOT NULL PRIMARY KEY AUTOINCREMENT, post_author integer NOT NULL DEFAULT 0,
  post_date text NOT NULL DEFAULT '0000-00-00 00:00:00', post_date_gmt text NOT NULL DEFAULT '0000-00-00 00:00:00', post_content text NOT NULL,
  post_title text NOT NULL, post_excerpt text NOT NULL, post_status text NOT NULL DEFAULT 'publish', comment_status text NOT NULL DEFAULT 'open',
  ping_status text NOT NULL DEFAULT 'open', post_password text NOT NULL DEFAULT '', post_name text NOT NULL DEFAULT '',
  post_modified text NOT NULL DEFAULT '0000-00-00 00:00:00', post_modified_gmt text NOT NULL DEFAULT '0000-00-00 00:00:00',
  post_parent integer NOT NULL DEFAULT 0, guid text NOT NULL DEFAULT '', menu_order integer NOT NULL DEFAULT 0,
  post_type text NOT NULL DEFAULT 'post', post_mime_type text NOT NULL DEFAULT '', comment_count integer NOT NULL DEFAULT 0);
CREATE TABLE wp_terms (term_id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name text NOT NULL DEFAULT '', slug text NOT NULL DEFAULT '',
  term_group integer NOT NULL DEFAULT 0);
CREATE TABLE wp_term_taxonomy (term_taxonomy_id integer NOT NULL PRIMARY KEY AUTOINCREMENT, term_id integer NOT NULL DEFAULT 0,
  taxonomy text NOT NULL DEFAULT '', description text NOT NULL DEFAULT '', parent integer NOT NULL DEFAULT 0, count integer NOT NULL DEFAULT 0);
CREATE TABLE wp_term_relationships (object_id integer NOT NULL DEFAULT 0, term_taxonomy_id integer NOT NULL DEFAULT 0,
  term_order integer NOT NULL DEFAULT 0, PRIMARY KEY (object_id, term_taxonomy_id));
"""
        + rows("wp_users", "ID, user_login, user_pass, user_email, display_name", (1, "ada", "$P$Bx", "ada@example.com", "Ada"))
        + rows(
            "wp_posts",
            "ID, post_author, post_date, post_date_gmt, post_content, post_title, post_excerpt, post_status, post_name, post_modified, post_modified_gmt, guid, post_type",
            *(
                (n, 1, f"2024-0{month}-10 11:00:00", f"2024-0{month}-10 09:00:00" if status != "draft" else "0000-00-00 00:00:00")
                + (f"<!-- wp:paragraph --><p>Text of {n}.</p><!-- /wp:paragraph -->", title, "", status, f"post-{n}")
                + ("2024-09-01 11:00:00", "2024-09-01 09:00:00", f"https://example.com/?p={n}", kind)
                for n, title, status, kind, month in (
                    (1, "Hello world", "publish", "post", 1),
                    (2, "Sample page", "publish", "page", 1),
                    (5, "Backups at night", "publish", "post", 2),
                    (8, "Restoring a dump", "publish", "post", 4),
                    (9, "Not ready", "draft", "post", 5),
                    (12, "Between ourselves", "private", "post", 6),
                    (13, "Moving hosts", "publish", "post", 3),
                    (20, "Thrown away", "trash", "post", 7),
                )
            ),
        )
        + rows(
            "wp_terms",
            "term_id, name, slug",
            (1, "Uncategorized", "uncategorized"),
            (2, "Databases", "databases"),
            (3, "Databases", "databases-tag"),
            (4, "Backup", "backup"),
            (5, "Main menu", "main-menu"),
        )
        + rows(
            "wp_term_taxonomy",
            "term_taxonomy_id, term_id, taxonomy, count",
            (11, 1, "category", 1),
            (12, 2, "category", 3),
            (13, 3, "post_tag", 2),
            (14, 4, "post_tag", 3),
            (15, 5, "nav_menu", 1),
        )
        + rows(
            "wp_term_relationships",
            "object_id, term_taxonomy_id",
            *(
                (1, 11),
                (2, 15),
                (5, 12),
                (5, 14),
                (8, 12),
                (8, 13),
                (8, 14),
                (9, 14),
                (12, 13),
                (12, 14),
                (13, 12),
                (13, 13),
                (13, 14),
                (20, 14),
            ),
        ),
        sources={"wp_posts": "post_date_gmt"},
        tags={"Databases": ["Restoring a dump", "Moving hosts"], "Backup": ["Restoring a dump", "Moving hosts", "Backups at night"]},
        where={"wp_posts": "post_status"},
        content={"wp_posts": "post_content"},
    )
)

# One table of taggings for two models whose ids clash, and several contexts.
APPLICATIONS.append(
    Application(
        name="acts-as-taggable-on",
        schema="""
CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, email varchar NOT NULL, encrypted_password varchar NOT NULL);
CREATE TABLE articles (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, title varchar, slug varchar, body text, published boolean DEFAULT 0 NOT NULL,
  published_at datetime(6), user_id integer NOT NULL, created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL,
  FOREIGN KEY (user_id) REFERENCES users (id));
CREATE TABLE photos (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, title varchar, description text, image_url varchar,
  created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL);
CREATE TABLE tags (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, name varchar, taggings_count integer DEFAULT 0, created_at datetime(6), updated_at datetime(6));
CREATE TABLE taggings (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, tag_id integer, taggable_type varchar, taggable_id integer,
  tagger_type varchar, tagger_id integer, context varchar(128), created_at datetime(6), tenant varchar(128),
  FOREIGN KEY (tag_id) REFERENCES tags (id));
CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
INSERT INTO schema_migrations VALUES ('20240101000000'), ('20240102000000');
INSERT INTO users VALUES (1, 'ada@example.com', '$2a$12$x'), (2, 'bob@example.com', '$2a$12$y');
"""
        + rows(
            "articles",
            "id, title, slug, body, published, published_at, user_id, created_at, updated_at",
            *(
                (
                    n,
                    title,
                    f"article-{n}",
                    f"The text of article {n}, in some detail.",
                    published,
                    date,
                    1,
                    "2024-01-01 08:00:00.000000",
                    "2024-08-01 08:00:00.000000",
                )
                for n, (title, published, date) in enumerate(
                    (
                        ("Night trains", 1, "2024-02-01 08:00:00.000000"),
                        ("Slow ferries", 1, "2024-05-01 08:00:00.000000"),
                        ("Secret station", 0, None),
                        ("Border crossings", 1, "2024-03-01 08:00:00.000000"),
                        ("Retracted timetable", 0, "2024-06-01 08:00:00.000000"),
                        ("Lighthouses", 1, "2024-07-01 08:00:00.000000"),
                    ),
                    1,
                )
            ),
        )
        + rows(
            "photos",
            "id, title, description, image_url, created_at, updated_at",
            *(
                (
                    n,
                    title,
                    f"Seen from the platform, number {n}.",
                    f"https://example.com/{n}.jpg",
                    f"{date} 08:00:00.000000",
                    "2024-08-02 08:00:00.000000",
                )
                for n, title, date in (
                    (1, "Dome at dusk", "2024-02-15"),
                    (2, "Viaduct", "2024-04-15"),
                    (3, "Harbour fog", "2024-05-15"),
                    (4, "Signal box", "2024-01-15"),
                    (5, "Lantern room", "2024-06-15"),
                    (6, "Empty quay", "2024-07-15"),
                )
            ),
        )
        + rows("tags", "id, name", (1, "rail"), (2, "sea"), (3, "Portugal"), (4, "Norway"))
        + rows(
            "taggings",
            "tag_id, taggable_type, taggable_id, context, created_at",
            *(
                (tag, kind, item, context, "2024-08-03 08:00:00.000000")
                for tag, kind, item, context in (
                    (1, "Article", 1, "tags"),
                    (3, "Article", 1, "locations"),
                    (2, "Article", 2, "tags"),
                    (4, "Article", 2, "locations"),
                    (1, "Article", 3, "tags"),
                    (1, "Article", 4, "tags"),
                    (1, "Article", 5, "tags"),
                    (2, "Article", 6, "tags"),
                    (1, "Photo", 2, "tags"),
                    (2, "Photo", 3, "tags"),
                    (1, "Photo", 4, "tags"),
                    (2, "Photo", 5, "tags"),
                    (4, "Photo", 5, "locations"),
                    (2, "Photo", 6, "tags"),
                )
            ),
        ),
        sources={"articles": "published_at", "photos": "created_at"},
        tags={
            "rail": ["Viaduct", "Border crossings", "Night trains", "Signal box"],
            "sea": ["Empty quay", "Lighthouses", "Lantern room", "Harbour fog", "Slow ferries"],
        },
        where={"articles": "published"},
        content={"articles": "body", "photos": "description"},
    )
)

# The tag's name is in `tag`. tag_filters (what a user hides) has the form of a join table, but users are not items.
APPLICATIONS.append(
    Application(
        name="lobsters",
        schema="""
CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, username varchar(50), email varchar(100), password_digest varchar(75),
  created_at datetime, is_admin boolean DEFAULT 0 NOT NULL, about text, karma integer DEFAULT 0 NOT NULL, banned_at datetime);
CREATE TABLE categories (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, category varchar, created_at datetime NOT NULL);
CREATE TABLE tags (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, tag varchar(25) NOT NULL, description varchar(100), privileged boolean DEFAULT 0 NOT NULL,
  is_media boolean DEFAULT 0 NOT NULL, active boolean DEFAULT 1 NOT NULL, hotness_mod float DEFAULT 0.0, category_id integer NOT NULL,
  FOREIGN KEY (category_id) REFERENCES categories (id));
CREATE TABLE stories (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, created_at datetime NOT NULL, user_id integer NOT NULL, url varchar(250) DEFAULT '',
  title varchar(150) DEFAULT '' NOT NULL, description text, short_id varchar(6) DEFAULT '' NOT NULL, is_deleted boolean DEFAULT 0 NOT NULL,
  score integer DEFAULT 1 NOT NULL, flags integer DEFAULT 0 NOT NULL, is_moderated boolean DEFAULT 0 NOT NULL, hotness decimal(20,10) DEFAULT 0.0 NOT NULL,
  markeddown_description text, comments_count integer DEFAULT 0 NOT NULL, merged_story_id integer, unavailable_at datetime,
  user_is_author boolean DEFAULT 0, FOREIGN KEY (merged_story_id) REFERENCES stories (id), FOREIGN KEY (user_id) REFERENCES users (id));
CREATE TABLE taggings (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, story_id integer NOT NULL, tag_id integer NOT NULL,
  FOREIGN KEY (story_id) REFERENCES stories (id), FOREIGN KEY (tag_id) REFERENCES tags (id));
CREATE TABLE tag_filters (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, created_at datetime NOT NULL, updated_at datetime NOT NULL,
  user_id integer NOT NULL, tag_id integer NOT NULL, FOREIGN KEY (user_id) REFERENCES users (id), FOREIGN KEY (tag_id) REFERENCES tags (id));
"""
        + rows(
            "users",
            "id, username, email, password_digest, created_at, about",
            *(
                (n, name, f"{name}@example.com", "$2a$10$x", f"2023-01-0{n} 10:00:00", "")
                for n, name in enumerate(("ada", "bob", "cyd", "dee", "eli"), 1)
            ),
        )
        + rows("categories", "id, category, created_at", (1, "languages", "2023-01-01 10:00:00"), (2, "os", "2023-01-01 10:00:00"))
        + rows(
            "tags",
            "id, tag, description, category_id",
            (1, "rust", "Rust programming", 1),
            (2, "unix", "*nix", 2),
            (3, "c", "C programming", 1),
        )
        + rows(
            "stories",
            "id, created_at, user_id, url, title, description, short_id, is_deleted, score, markeddown_description",
            *(
                (n, f"2024-02-{n:02} 10:00:00", n % 5 + 1, f"https://example.com/story/{n}", title, "", f"abcde{n}", deleted, 20 - n, "")
                for n, (title, deleted) in enumerate(
                    (
                        ("Borrowing explained", 0),
                        ("A history of pipes", 0),
                        ("Buy cheap pills", 1),
                        ("Rewriting ls", 0),
                        ("Signals considered", 0),
                        ("Undefined behaviour tour", 0),
                        ("Duplicate of the tour", 1),
                        ("Traits in practice", 0),
                    ),
                    1,
                )
            ),
        )
        + rows("taggings", "story_id, tag_id", (1, 1), (2, 2), (3, 1), (3, 2), (4, 1), (4, 2), (5, 2), (5, 3), (6, 3), (7, 3), (8, 1))
        + rows(
            "tag_filters",
            "created_at, updated_at, user_id, tag_id",
            *(("2024-01-01 10:00:00", "2024-01-01 10:00:00", user, tag) for user, tag in ((1, 3), (2, 1), (2, 3), (4, 2), (5, 3))),
        ),
        sources={"stories": "created_at"},
        tags={
            "rust": ["Traits in practice", "Rewriting ls", "Borrowing explained"],
            "unix": ["Signals considered", "Rewriting ls", "A history of pipes"],
        },
        where={"stories": "is_deleted"},
    )
)

# No declared keys, millisecond times; notes in the trash have a deleted_time, all others 0. Nothing is shared: that says nothing.
APPLICATIONS.append(
    Application(
        name="joplin",
        schema="""
CREATE TABLE folders (id TEXT PRIMARY KEY, title TEXT NOT NULL DEFAULT '', created_time INT NOT NULL, updated_time INT NOT NULL,
  parent_id TEXT NOT NULL DEFAULT '', is_shared INT NOT NULL DEFAULT 0, icon TEXT NOT NULL DEFAULT '');
CREATE TABLE notes (id TEXT PRIMARY KEY, parent_id TEXT NOT NULL DEFAULT '', title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  created_time INT NOT NULL, updated_time INT NOT NULL, is_conflict INT NOT NULL DEFAULT 0, author TEXT NOT NULL DEFAULT '',
  source_url TEXT NOT NULL DEFAULT '', is_todo INT NOT NULL DEFAULT 0, todo_due INT NOT NULL DEFAULT 0, todo_completed INT NOT NULL DEFAULT 0,
  source TEXT NOT NULL DEFAULT '', source_application TEXT NOT NULL DEFAULT '', encryption_applied INT NOT NULL DEFAULT 0,
  markup_language INT NOT NULL DEFAULT 1, is_shared INT NOT NULL DEFAULT 0, deleted_time INT NOT NULL DEFAULT 0);
CREATE TABLE tags (id TEXT PRIMARY KEY, title TEXT NOT NULL DEFAULT '', created_time INT NOT NULL, updated_time INT NOT NULL,
  is_shared INT NOT NULL DEFAULT 0, parent_id TEXT NOT NULL DEFAULT '');
CREATE TABLE note_tags (id TEXT PRIMARY KEY, note_id TEXT NOT NULL, tag_id TEXT NOT NULL, created_time INT NOT NULL, updated_time INT NOT NULL,
  is_shared INT NOT NULL DEFAULT 0);
"""
        + rows("folders", "id, title, created_time, updated_time", (f"{0xF0:032x}", "Notebook", 1700000000000, 1700000000000))
        + rows(
            "notes",
            "id, parent_id, title, body, created_time, updated_time, is_todo, todo_due, source, source_application, deleted_time",
            *(
                (
                    f"{0xA000 + n:032x}",
                    f"{0xF0:032x}",
                    title,
                    f"# {title}\n\nSome *Markdown* of note {n}.",
                    1704100000000 + n * 86400000,
                    1714100000000 - n * 86400000,
                )
                + (int(n == 4), 1720000000000 if n == 4 else 0, "joplin-desktop", "net.cozic.joplin-desktop", deleted)
                for n, (title, deleted) in enumerate(
                    (
                        ("Lentil soup", 0),
                        ("Train to Porto", 0),
                        ("Old shopping list", 1715000000000),
                        ("Repair the bike", 0),
                        ("Packing list", 0),
                        ("Cancelled trip", 1716000000000),
                        ("Pancakes", 0),
                    ),
                    1,
                )
            ),
        )
        + rows(
            "tags",
            "id, title, created_time, updated_time",
            *((f"{0xB0 + n:032x}", t, 1700000000000, 1700000000000) for n, t in enumerate(("recipe", "travel", "home"), 1)),
        )
        + rows(
            "note_tags",
            "id, note_id, tag_id, created_time, updated_time",
            *(
                (f"{0xC000 + i:032x}", f"{0xA000 + note:032x}", f"{0xB0 + tag:032x}", 1717000000000 - i * 1000, 1717000000000)
                for i, (note, tag) in enumerate(((1, 1), (2, 2), (3, 1), (3, 3), (4, 3), (5, 2), (5, 3), (6, 2), (7, 1), (7, 3)))
            ),
        ),
        sources={"notes": "created_time"},
        tags={"recipe": ["Pancakes", "Lentil soup"], "travel": ["Packing list", "Train to Porto"]},
        where={"notes": "deleted_time"},
        content={"notes": "body"},
    )
)

# No declared keys; `timestamp` is when the book was added, `pubdate` is centuries old or the year 101 for unknown.
APPLICATIONS.append(
    Application(
        name="calibre",
        schema="""
CREATE TABLE books (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL DEFAULT 'Unknown' COLLATE NOCASE, sort TEXT COLLATE NOCASE,
  timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP, pubdate TIMESTAMP DEFAULT CURRENT_TIMESTAMP, series_index REAL NOT NULL DEFAULT 1.0,
  author_sort TEXT COLLATE NOCASE, path TEXT NOT NULL DEFAULT '', uuid TEXT, has_cover BOOL DEFAULT 0,
  last_modified TIMESTAMP NOT NULL DEFAULT '2000-01-01 00:00:00+00:00');
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, sort TEXT COLLATE NOCASE, link TEXT NOT NULL DEFAULT '', UNIQUE(name));
CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, link TEXT NOT NULL DEFAULT '', UNIQUE(name));
CREATE TABLE books_authors_link (id INTEGER PRIMARY KEY, book INTEGER NOT NULL, author INTEGER NOT NULL, UNIQUE(book, author));
CREATE TABLE books_tags_link (id INTEGER PRIMARY KEY, book INTEGER NOT NULL, tag INTEGER NOT NULL, UNIQUE(book, tag));
CREATE TABLE comments (id INTEGER PRIMARY KEY, book INTEGER NOT NULL, text TEXT NOT NULL COLLATE NOCASE, UNIQUE(book));
"""
        + rows(
            "books",
            "id, title, sort, timestamp, pubdate, author_sort, path, uuid, has_cover, last_modified",
            *(
                (
                    n,
                    title,
                    title,
                    f"2024-01-{n + 10} 18:30:00+00:00",
                    pubdate,
                    author,
                    f"{author}/{title} ({n})",
                    f"00000000-0000-4000-8000-{n:012}",
                    1,
                )
                + (f"2024-06-{20 - n} 10:00:00.123456+00:00",)
                for n, (title, author, pubdate) in enumerate(
                    (
                        ("Beowulf", "Anonymous", "0101-01-01 00:00:00+00:00"),
                        ("Frankenstein", "Shelley, Mary", "1818-01-01 00:00:00+00:00"),
                        ("Middlemarch", "Eliot, George", "1871-12-01 00:00:00+00:00"),
                        ("Silas Marner", "Eliot, George", "1881-04-02 00:00:00+00:00"),
                        ("The Time Machine", "Wells, H. G.", "1895-05-01 00:00:00+00:00"),
                        ("Dracula", "Stoker, Bram", "1897-05-26 00:00:00+00:00"),
                    ),
                    1,
                )
            ),
        )
        + rows(
            "authors",
            "id, name, sort",
            *(
                (n, " ".join(reversed(author.split(", "))), author)
                for n, author in enumerate(("Anonymous", "Shelley, Mary", "Eliot, George", "Wells, H. G.", "Stoker, Bram"), 1)
            ),
        )
        + rows("books_authors_link", "book, author", (1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5))
        + rows("tags", "id, name", (4, "Horror"), (5, "Science fiction"), (9, "Village life"), (11, "Classics"))
        + rows("books_tags_link", "book, tag", (1, 11), (2, 4), (2, 5), (2, 11), (3, 9), (3, 11), (4, 9), (5, 5), (6, 4), (6, 11))
        + rows("comments", "book, text", (1, "<p>A monster and his mother.</p>"), (3, "<p>Provincial life.</p>")),
        sources={"books": "timestamp"},
        tags={"Classics": ["Dracula", "Middlemarch", "Frankenstein", "Beowulf"], "Science fiction": ["The Time Machine", "Frankenstein"]},
    )
)

# Labels join entries in the order (id_tag, id_entry); the entry's own `tags` and the read and favourite marks are tempting.
APPLICATIONS.append(
    Application(
        name="freshrss",
        schema="""
CREATE TABLE category (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(191) NOT NULL, kind SMALLINT DEFAULT 0, attributes TEXT, UNIQUE (name));
CREATE TABLE feed (id INTEGER PRIMARY KEY AUTOINCREMENT, url VARCHAR(32768) NOT NULL, kind SMALLINT DEFAULT 0, category INTEGER DEFAULT 0,
  name VARCHAR(191) NOT NULL, website VARCHAR(32768), description TEXT, lastUpdate BIGINT DEFAULT 0, priority TINYINT NOT NULL DEFAULT 10,
  error BOOLEAN DEFAULT 0, FOREIGN KEY (category) REFERENCES category (id) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE entry (id BIGINT NOT NULL, guid VARCHAR(767) NOT NULL, title VARCHAR(8192) NOT NULL, author VARCHAR(1024), content TEXT,
  link VARCHAR(16383) NOT NULL, date BIGINT, lastSeen BIGINT DEFAULT 0, hash BINARY(16), is_read BOOLEAN NOT NULL DEFAULT 0,
  is_favorite BOOLEAN NOT NULL DEFAULT 0, id_feed INTEGER, tags VARCHAR(2048), attributes TEXT, PRIMARY KEY (id),
  FOREIGN KEY (id_feed) REFERENCES feed (id) ON DELETE CASCADE ON UPDATE CASCADE, UNIQUE (id_feed, guid));
CREATE TABLE entrytmp (id BIGINT NOT NULL, guid VARCHAR(767) NOT NULL, title VARCHAR(8192) NOT NULL, author VARCHAR(1024), content TEXT,
  link VARCHAR(16383) NOT NULL, date BIGINT, id_feed INTEGER, tags VARCHAR(2048), PRIMARY KEY (id));
CREATE TABLE tag (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(191) NOT NULL, attributes TEXT, UNIQUE (name));
CREATE TABLE entrytag (id_tag SMALLINT, id_entry BIGINT, PRIMARY KEY (id_tag, id_entry), FOREIGN KEY (id_tag) REFERENCES tag (id)
  ON DELETE CASCADE ON UPDATE CASCADE, FOREIGN KEY (id_entry) REFERENCES entry (id) ON DELETE CASCADE ON UPDATE CASCADE);
"""
        + rows("category", "id, name", (1, "Uncategorized"), (2, "Science"))
        + rows(
            "feed",
            "id, url, category, name, website, description, lastUpdate",
            (1, "https://a.example/feed", 1, "Feed A", "https://a.example/", "", 1718000000),
            (2, "https://b.example/feed", 2, "Feed B", "https://b.example/", "", 1718000000),
        )
        + rows(
            "entry",
            "id, guid, title, author, content, link, date, lastSeen, is_read, is_favorite, id_feed, tags",
            *(
                (
                    1718000000000000 + n,
                    f"https://a.example/{n}",
                    title,
                    ";Ada",
                    f"<p>Entry {n} in <i>full</i>.</p>",
                    f"https://a.example/{n}",
                )
                + (1717000000 + day * 86400, 1718000000, n % 2, int(n == 3), n % 2 + 1, tags)
                for n, (title, day, tags) in enumerate(
                    (
                        ("Moss on Mars", 1, "#space"),
                        ("Tides and towers", 5, ""),
                        ("How glue works", 3, ""),
                        ("A comet returns", 4, "#space #comets"),
                        ("Counting whales", 2, ""),
                        ("Nobody kept this", 6, ""),
                    ),
                    1,
                )
            ),
        )
        + rows("tag", "id, name", (1, "To discuss"), (2, "For the newsletter"))
        + rows(
            "entrytag", "id_tag, id_entry", *((tag, 1718000000000000 + n) for tag, n in ((1, 1), (1, 2), (1, 4), (2, 2), (2, 3), (2, 5)))
        ),
        sources={"entry": "date"},
        tags={
            "To discuss": ["Tides and towers", "A comet returns", "Moss on Mars"],
            "For the newsletter": ["Tides and towers", "How glue works", "Counting whales"],
        },
        content={"entry": "content"},
    )
)

# published_at (the article's own date) is mostly unknown: created_at is when it was saved. Archived means read, not hidden.
APPLICATIONS.append(
    Application(
        name="wallabag",
        schema="""
CREATE TABLE wallabag_user (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, username VARCHAR(180) NOT NULL, email VARCHAR(180) NOT NULL,
  password VARCHAR(255) NOT NULL);
CREATE TABLE wallabag_entry (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, user_id INTEGER DEFAULT NULL, uid VARCHAR(23) DEFAULT NULL,
  title CLOB DEFAULT NULL, url CLOB DEFAULT NULL, hashed_url VARCHAR(40) DEFAULT NULL, origin_url CLOB DEFAULT NULL, is_archived BOOLEAN NOT NULL,
  archived_at DATETIME DEFAULT NULL, is_starred BOOLEAN NOT NULL, starred_at DATETIME DEFAULT NULL, content CLOB DEFAULT NULL,
  created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL, published_at DATETIME DEFAULT NULL, published_by CLOB DEFAULT NULL,
  mimetype CLOB DEFAULT NULL, language CLOB DEFAULT NULL, reading_time INTEGER NOT NULL, domain_name CLOB DEFAULT NULL,
  preview_picture CLOB DEFAULT NULL, http_status VARCHAR(3) DEFAULT NULL,
  CONSTRAINT FK_F4D18282A76ED395 FOREIGN KEY (user_id) REFERENCES wallabag_user (id));
CREATE TABLE wallabag_tag (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, label CLOB NOT NULL, slug VARCHAR(128) NOT NULL);
CREATE TABLE wallabag_entry_tag (entry_id INTEGER NOT NULL, tag_id INTEGER NOT NULL, PRIMARY KEY (entry_id, tag_id),
  CONSTRAINT FK_C9F0DD7CBA364942 FOREIGN KEY (entry_id) REFERENCES wallabag_entry (id) ON DELETE CASCADE,
  CONSTRAINT FK_C9F0DD7CBAD26311 FOREIGN KEY (tag_id) REFERENCES wallabag_tag (id) ON DELETE CASCADE);
CREATE TABLE wallabag_tagging_rule (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, config_id INTEGER DEFAULT NULL, rule VARCHAR(255) NOT NULL, tags CLOB NOT NULL);
INSERT INTO wallabag_user VALUES (1, 'ada', 'ada@example.com', 'x');
INSERT INTO wallabag_tagging_rule VALUES (1, 1, 'readingTime >= 20', 'long'), (2, 1, 'domainName = "garden.example"', 'garden,tools');
"""
        + rows(
            "wallabag_entry",
            "id, user_id, title, url, hashed_url, is_archived, is_starred, content, created_at, updated_at, published_at, mimetype, language, reading_time, domain_name, preview_picture, http_status",
            *(
                (
                    n,
                    1,
                    title,
                    f"https://news.example/{n}",
                    f"{n:040x}",
                    n % 2,
                    int(n == 2),
                    f"<p>Fetched text of article {n}.</p>",
                    f"2024-04-{n + 9:02} 20:15:00",
                )
                + (
                    f"2024-06-{20 - n} 20:15:00",
                    published,
                    "text/html",
                    "en",
                    5 * n,
                    "news.example",
                    f"https://news.example/{n}.png",
                    "200",
                )
                for n, (title, published) in enumerate(
                    (
                        ("Pruning roses", None),
                        ("The long strike", None),
                        ("Repairing a scythe", None),
                        ("Parliament in spring", "2019-03-01 00:00:00"),
                        ("Hedges for birds", None),
                        ("A minister resigns", None),
                        ("Sharpening stones", None),
                    ),
                    1,
                )
            ),
        )
        + rows("wallabag_tag", "id, label, slug", (1, "garden", "garden"), (2, "politics", "politics"), (3, "tools", "tools"))
        + rows("wallabag_entry_tag", "entry_id, tag_id", (1, 1), (2, 2), (3, 1), (3, 3), (4, 2), (5, 1), (6, 2), (7, 3)),
        sources={"wallabag_entry": "created_at"},
        tags={
            "garden": ["Hedges for birds", "Repairing a scythe", "Pruning roses"],
            "politics": ["A minister resigns", "Parliament in spring", "The long strike"],
        },
        content={"wallabag_entry": "content"},
    )
)

# Padded commas, no dates at all (the last row is the newest), the title in `metadata`, and a column named by an SQL keyword.
APPLICATIONS.append(
    Application(
        name="buku",
        schema="""
CREATE TABLE bookmarks (id integer PRIMARY KEY, URL text NOT NULL UNIQUE, metadata text default '', tags text default ',', desc text default '',
  flags integer default 0);
"""
        + rows(
            "bookmarks",
            "id, URL, metadata, tags, desc, flags",
            *(
                (n, f"https://example.com/{n}", title, tags, f"A remark on page {n}.", n % 2)
                for n, (title, tags) in enumerate(
                    (
                        ("Manual of make", ",build,reference,"),
                        ("Shell pitfalls", ",reference,shell,"),
                        ("Something untagged", ","),
                        ("Ninja", ",build,"),
                        ("Line editing keys", ",shell,"),
                        ("Hermetic builds", ",build,talk to read later,"),
                        ("POSIX utilities", ",reference,shell,"),
                    ),
                    1,
                )
            ),
        ),
        sources={"bookmarks": ""},
        tags={
            "build": ["Hermetic builds", "Ninja", "Manual of make"],
            "reference": ["POSIX utilities", "Shell pitfalls", "Manual of make"],
        },
        content={"bookmarks": "desc"},
    )
)

# Tags between spaces; the sort field is text in a column declared integer; `mod` is a change, not a publication. `tags` joins nothing.
APPLICATIONS.append(
    Application(
        name="anki",
        schema="""
CREATE TABLE notes (id integer PRIMARY KEY, guid text NOT NULL, mid integer NOT NULL, mod integer NOT NULL, usn integer NOT NULL, tags text NOT NULL,
  flds text NOT NULL, sfld integer NOT NULL, csum integer NOT NULL, flags integer NOT NULL, data text NOT NULL);
CREATE TABLE cards (id integer PRIMARY KEY, nid integer NOT NULL, did integer NOT NULL, ord integer NOT NULL, mod integer NOT NULL, usn integer NOT NULL,
  type integer NOT NULL, queue integer NOT NULL, due integer NOT NULL, ivl integer NOT NULL, factor integer NOT NULL);
CREATE TABLE tags (tag text NOT NULL PRIMARY KEY, usn integer NOT NULL, collapsed boolean NOT NULL, config blob NULL) WITHOUT ROWID;
"""
        + rows(
            "notes",
            "id, guid, mid, mod, usn, tags, flds, sfld, csum, flags, data",
            *(
                (
                    1704100000000 + n * 60000,
                    f"g{n}uid",
                    1700000000000,
                    1704200000 + n * 60,
                    -1,
                    tags,
                    f"{front}\x1f{back}",
                    front,
                    1000 + n,
                    0,
                    "",
                )
                for n, (front, back, tags) in enumerate(
                    (
                        ("der Hund", "dog", " animals german "),
                        ("die Brücke", "bridge", " german places "),
                        ("la vache", "cow", " animals french "),
                        ("das Pferd", "horse", " animals german leech "),
                        ("le pont", "bridge", " french places "),
                        ("l'église", "church", " french places "),
                        ("noch ohne Schlagwort", "still without a tag", ""),
                    ),
                    1,
                )
            ),
        )
        + rows(
            "cards",
            "id, nid, did, ord, mod, usn, type, queue, due, ivl, factor",
            *((1704100000500 + n * 60000, 1704100000000 + n * 60000, 1, 0, 1704200000, -1, n % 3, 0, n, 0, 2500) for n in range(1, 8)),
        )
        + rows("tags", "tag, usn, collapsed", *((t, -1, 0) for t in ("animals", "french", "german", "leech", "places"))),
        sources={"notes": ""},
        tags={"animals": ["das Pferd", "la vache", "der Hund"], "places": ["l'église", "le pont", "die Brücke"]},
    )
)

# The title is `description`, the remark `extended`; yes and no are words.
APPLICATIONS.append(
    Application(
        name="pinboard",
        schema="""
CREATE TABLE posts (hash TEXT PRIMARY KEY, href TEXT, description TEXT, extended TEXT, meta TEXT, time TEXT, shared TEXT, toread TEXT, tags TEXT);
"""
        + rows(
            "posts",
            "hash, href, description, extended, meta, time, shared, toread, tags",
            *(
                (
                    f"{n * 7919:032x}",
                    f"https://example.com/{n}",
                    title,
                    f"Found while reading about subject {n}.",
                    f"{n * 104729:032x}",
                    f"2024-05-{n:02}T12:00:00Z",
                )
                + (shared, "yes" if n % 3 else "no", tags)
                for n, (title, shared, tags) in enumerate(
                    (
                        ("Letterforms of the subway", "yes", '["typography", "cities"]'),
                        ("Kerning game", "yes", '["typography"]'),
                        ("Gift ideas", "no", '["typography", "shopping"]'),
                        ("Bus stop design", "yes", '["cities"]'),
                        ("A page without tags", "yes", "[]"),
                        ("Italics, a defence", "yes", '["typography"]'),
                        ("Flats to rent", "no", '["cities"]'),
                        ("Benches", "yes", '["cities"]'),
                    ),
                    1,
                )
            ),
        ),
        sources={"posts": "time"},
        tags={
            "typography": ["Italics, a defence", "Kerning game", "Letterforms of the subway"],
            "cities": ["Benches", "Bus stop design", "Letterforms of the subway"],
        },
        where={"posts": "shared"},
        content={"posts": "extended"},
    )
)

# Answers have neither title nor tags. Closed questions stay visible; the table of tags joins nothing; badges are no tags.
APPLICATIONS.append(
    Application(
        name="stack-exchange",
        schema="""
CREATE TABLE Users (Id INTEGER PRIMARY KEY, Reputation INTEGER, CreationDate TEXT, DisplayName TEXT, AboutMe TEXT);
CREATE TABLE Badges (Id INTEGER PRIMARY KEY, UserId INTEGER, Name TEXT, Date TEXT, Class INTEGER, TagBased TEXT);
CREATE TABLE Tags (Id INTEGER PRIMARY KEY, TagName TEXT, Count INTEGER, ExcerptPostId INTEGER, WikiPostId INTEGER);
CREATE TABLE Posts (Id INTEGER PRIMARY KEY, PostTypeId INTEGER, AcceptedAnswerId INTEGER, ParentId INTEGER, CreationDate TEXT, Score INTEGER,
  ViewCount INTEGER, Body TEXT, OwnerUserId INTEGER, LastEditDate TEXT, LastActivityDate TEXT, Title TEXT, Tags TEXT, AnswerCount INTEGER,
  CommentCount INTEGER, ClosedDate TEXT, ContentLicense TEXT);
"""
        + rows(
            "Users",
            "Id, Reputation, CreationDate, DisplayName",
            (1, 101, "2023-01-01T00:00:00.000", "ada"),
            (2, 55, "2023-02-01T00:00:00.000", "bob"),
        )
        + rows(
            "Badges",
            "Id, UserId, Name, Date, Class, TagBased",
            *(
                (n, n % 2 + 1, name, f"2024-01-0{n}T00:00:00.000", 3, "False")
                for n, name in enumerate(("Student", "Teacher", "Student", "Teacher"), 1)
            ),
        )
        + rows(
            "Tags",
            "Id, TagName, Count, ExcerptPostId, WikiPostId",
            (1, "espresso", 3, None, None),
            (2, "grinding", 3, None, None),
            (3, "cold-brew", 1, None, None),
        )
        + rows(
            "Posts",
            "Id, PostTypeId, ParentId, CreationDate, Score, Body, OwnerUserId, LastActivityDate, Title, Tags, ClosedDate, ContentLicense",
            *(
                (
                    n,
                    1 if title else 2,
                    None if title else n - 1,
                    f"2024-02-{n:02}T09:41:27.583",
                    n % 4,
                    f"<p>Body of post {n}.</p>",
                    n % 2 + 1,
                )
                + (f"2024-03-{20 - n}T10:00:00.000", title, tags, "2024-02-20T00:00:00.000" if n == 4 else None, "CC BY-SA 4.0")
                for n, (title, tags) in enumerate(
                    (
                        ("Why is my shot sour?", "<espresso><grinding>"),
                        (None, None),
                        ("How fine for a French press?", "<grinding>"),
                        ("Which machine should I buy?", "<espresso>"),
                        (None, None),
                        ("How long can I steep?", "<cold-brew>"),
                        (None, None),
                        ("Does the dose change the grind?", "<espresso><grinding>"),
                    ),
                    1,
                )
            ),
        ),
        sources={"Posts": "CreationDate"},
        tags={
            "espresso": ["Does the dose change the grind?", "Which machine should I buy?", "Why is my shot sour?"],
            "grinding": ["Does the dose change the grind?", "How fine for a French press?", "Why is my shot sour?"],
        },
        content={"Posts": "Body"},
    )
)

# One row a tagging, by several users for the same film (listed once). Films have no date; the time of a tagging is not theirs.
APPLICATIONS.append(
    Application(
        name="movielens",
        schema="""
CREATE TABLE movies (movieId INTEGER PRIMARY KEY, title TEXT, genres TEXT);
CREATE TABLE ratings (userId INTEGER, movieId INTEGER, rating REAL, timestamp INTEGER);
CREATE TABLE tags (userId INTEGER, movieId INTEGER, tag TEXT, timestamp INTEGER);
CREATE TABLE links (movieId INTEGER, imdbId INTEGER, tmdbId INTEGER);
"""
        + rows(
            "movies",
            "movieId, title, genres",
            (1, "The Paper Moon (1995)", "Adventure|Animation"),
            (2, "Harbour Lights (1996)", "Drama"),
            (3, "Two Left Shoes (1997)", "Comedy|Romance"),
            (4, "The Cartographer (1998)", "Adventure|Drama"),
            (5, "Winter Orchard (1999)", "Drama|Romance"),
            (6, "Last Tram Home (2001)", "Comedy"),
            (7, "Static (2003)", "(no genres listed)"),
        )
        + rows(
            "ratings",
            "userId, movieId, rating, timestamp",
            *((u, m, float(1 + (u * m) % 5), 1400000000 + u * m) for u in (1, 2, 3) for m in range(1, 8)),
        )
        + rows(
            "tags",
            "userId, movieId, tag, timestamp",
            *(
                (user, movie, tag, 1500000000 + movie * 1000 + user)
                for user, movie, tag in (
                    (1, 1, "dreamlike"),
                    (2, 1, "dreamlike"),
                    (2, 2, "bittersweet"),
                    (3, 3, "feel-good"),
                    (1, 4, "dreamlike"),
                    (3, 4, "maps"),
                    (1, 5, "bittersweet"),
                    (2, 5, "bittersweet"),
                    (3, 5, "dreamlike"),
                    (1, 6, "feel-good"),
                    (2, 6, "bittersweet"),
                )
            ),
        )
        + rows("links", "movieId, imdbId, tmdbId", *((m, 114000 + m, 860 + m) for m in range(1, 8))),
        sources={"movies": ""},
        tags={
            "dreamlike": ["Winter Orchard (1999)", "The Cartographer (1998)", "The Paper Moon (1995)"],
            "bittersweet": ["Last Tram Home (2001)", "Winter Orchard (1999)", "Harbour Lights (1996)"],
        },
    )
)

# Two sources: topics as JSON, labels by a join table with compound key. Neither licence, owner, state nor stars are tags.
APPLICATIONS.append(
    Application(
        name="github-to-sqlite",
        schema="""
CREATE TABLE users (login TEXT, id INTEGER PRIMARY KEY, node_id TEXT, avatar_url TEXT, html_url TEXT, type TEXT, site_admin INTEGER, name TEXT);
CREATE TABLE licenses (key TEXT PRIMARY KEY, name TEXT, spdx_id TEXT, url TEXT, node_id TEXT);
CREATE TABLE repos (id INTEGER PRIMARY KEY, node_id TEXT, name TEXT, full_name TEXT, private INTEGER, owner INTEGER REFERENCES users (id),
  html_url TEXT, description TEXT, fork INTEGER, created_at TEXT, updated_at TEXT, pushed_at TEXT, homepage TEXT, size INTEGER,
  stargazers_count INTEGER, language TEXT, archived INTEGER, disabled INTEGER, license TEXT REFERENCES licenses (key), topics TEXT,
  visibility TEXT, default_branch TEXT);
CREATE TABLE issues (id INTEGER PRIMARY KEY, node_id TEXT, number INTEGER, title TEXT, user INTEGER REFERENCES users (id), state TEXT, locked INTEGER,
  assignee INTEGER REFERENCES users (id), comments INTEGER, created_at TEXT, updated_at TEXT, closed_at TEXT, author_association TEXT, body TEXT,
  repo INTEGER REFERENCES repos (id), type TEXT);
CREATE TABLE labels (id INTEGER PRIMARY KEY, node_id TEXT, url TEXT, name TEXT, color TEXT, "default" INTEGER, description TEXT);
CREATE TABLE issues_labels (labels_id INTEGER REFERENCES labels (id), issues_id INTEGER REFERENCES issues (id), PRIMARY KEY (labels_id, issues_id));
CREATE TABLE stars (user INTEGER REFERENCES users (id), repo INTEGER REFERENCES repos (id), starred_at TEXT, PRIMARY KEY (user, repo));
"""
        + rows(
            "users",
            "login, id, html_url, type, site_admin, name",
            ("ada", 11, "https://github.com/ada", "User", 0, "Ada"),
            ("bob", 12, "https://github.com/bob", "User", 0, "Bob"),
        )
        + rows("licenses", "key, name, spdx_id", ("mit", "MIT License", "MIT"), ("apache-2.0", "Apache License 2.0", "Apache-2.0"))
        + rows(
            "repos",
            "id, name, full_name, private, owner, html_url, description, fork, created_at, updated_at, pushed_at, size, stargazers_count, language, archived, disabled, license, topics, visibility, default_branch",
            *(
                (
                    100 + n,
                    name,
                    f"ada/{name}",
                    private,
                    11,
                    f"https://github.com/ada/{name}",
                    f"What {name} does.",
                    0,
                    f"2022-0{n}-05T10:00:00Z",
                    f"2024-06-{20 - n}T10:00:00Z",
                )
                + (f"2024-06-{20 - n}T11:00:00Z", 90 + n, 7 - n, "Python", int(n == 2), 0, "mit" if n % 2 else "apache-2.0", topics)
                + ("private" if private else "public", "main")
                for n, (name, private, topics) in enumerate(
                    (
                        ("row-counter", 0, '["sqlite", "cli"]'),
                        ("old-importer", 0, '["sqlite"]'),
                        ("payroll", 1, '["sqlite", "cli"]'),
                        ("prompt-colours", 0, '["cli"]'),
                        ("dotfiles", 0, "[]"),
                        ("page-cache", 0, '["sqlite"]'),
                    ),
                    1,
                )
            ),
        )
        + rows(
            "issues",
            "id, number, title, user, state, locked, comments, created_at, updated_at, closed_at, author_association, body, repo, type",
            *(
                (900 + n, n, title, 11 + n % 2, state, 0, n % 3, f"2023-03-{n:02}T08:00:00Z", f"2024-05-{20 - n}T08:00:00Z")
                + (
                    f"2024-05-{20 - n}T08:00:00Z" if state == "closed" else None,
                    "OWNER",
                    f"Steps to reproduce number {n}.",
                    101 + n % 2,
                    "issue",
                )
                for n, (title, state) in enumerate(
                    (
                        ("Crash on empty file", "closed"),
                        ("Add a --json option", "open"),
                        ("Wrong count with triggers", "open"),
                        ("Say how to install", "closed"),
                        ("Colours on Windows are wrong", "closed"),
                        ("A question nobody labelled", "open"),
                        ("Explain the exit codes", "open"),
                    ),
                    1,
                )
            ),
        )
        + rows(
            "labels",
            'id, name, color, "default", description',
            (501, "bug", "d73a4a", 1, "Something is not working"),
            (502, "documentation", "0075ca", 1, "Improvements to the documentation"),
            (503, "enhancement", "a2eeef", 1, ""),
        )
        + rows("issues_labels", "labels_id, issues_id", (501, 901), (503, 902), (502, 902), (501, 903), (502, 904), (501, 905), (502, 907))
        + rows(
            "stars",
            "user, repo, starred_at",
            *((u, r, f"2024-01-{r - 90:02}T00:00:00Z") for u, r in ((11, 101), (11, 106), (12, 101), (12, 104))),
        ),
        sources={"repos": "created_at", "issues": "created_at"},
        tags={
            "sqlite": ["page-cache", "old-importer", "row-counter"],
            "bug": ["Colours on Windows are wrong", "Wrong count with triggers", "Crash on empty file"],
        },
        where={"repos": "private"},
        content={"issues": "body"},
    )
)

# camelCase, no declared keys, seconds since 1970, and one bookmark without a date.
APPLICATIONS.append(
    Application(
        name="camel-case",
        schema="""
CREATE TABLE bookmarks (id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT, title TEXT, description TEXT, faviconUrl TEXT, isPrivate INTEGER,
  isRead INTEGER, sortOrder INTEGER, createdAt INTEGER, updatedAt INTEGER);
CREATE TABLE tags (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
CREATE TABLE bookmarkTags (bookmarkId INTEGER, tagId INTEGER);
"""
        + rows(
            "bookmarks",
            "id, url, title, description, faviconUrl, isPrivate, isRead, sortOrder, createdAt, updatedAt",
            *(
                (
                    n,
                    f"https://example.com/{n}",
                    title,
                    f"Where {title.lower()} began.",
                    "https://example.com/favicon.ico",
                    private,
                    n % 2,
                    10 - n,
                )
                + (1700000000 + n * 86400 if dated else None, 1716000000 - n * 86400)
                for n, title, private, dated in (
                    (21, "Radio plays", 0, True),
                    (22, "Street theatre", 0, True),
                    (23, "Bank login", 1, True),
                    (24, "Undated puppetry", 0, False),
                    (25, "Shortwave schedules", 0, True),
                    (26, "Stage lighting", 0, True),
                )
            ),
        )
        + rows("tags", "id, name", (1, "radio"), (2, "theatre"))
        + rows("bookmarkTags", "bookmarkId, tagId", (21, 1), (21, 2), (22, 2), (23, 1), (24, 2), (25, 1), (26, 2)),
        sources={"bookmarks": "createdAt"},
        tags={
            "radio": ["Shortwave schedules", "Radio plays"],
            "theatre": ["Stage lighting", "Street theatre", "Radio plays", "Undated puppetry"],
        },
        where={"bookmarks": "isPrivate"},
        content={"bookmarks": "description"},
    )
)

# No source: kinds and states are not tags, a label printed on a voucher is not one either, and category_id is a bare number.
APPLICATIONS.append(
    Application(
        name="accounting",
        schema="""
CREATE TABLE accounts (id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, name TEXT NOT NULL, type TEXT NOT NULL, currency TEXT NOT NULL);
CREATE TABLE transactions (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL REFERENCES accounts (id), date TEXT NOT NULL, type TEXT NOT NULL,
  status TEXT NOT NULL, label TEXT NOT NULL, category_id INTEGER, amount NUMERIC NOT NULL, description TEXT NOT NULL);
"""
        + rows(
            "accounts",
            "id, number, name, type, currency",
            *(
                (n, str(1000 + n * 100), name, kind, "EUR")
                for n, (name, kind) in enumerate(
                    (
                        ("Bank", "asset"),
                        ("Petty cash", "asset"),
                        ("Loans", "liability"),
                        ("Sales", "income"),
                        ("Rent", "expense"),
                        ("Travel costs", "expense"),
                    ),
                    1,
                )
            ),
        )
        + rows(
            "transactions",
            "id, account_id, date, type, status, label, category_id, amount, description",
            *(
                (
                    n,
                    n % 6 + 1,
                    f"2024-01-{n:02}",
                    ("debit", "credit")[n % 2],
                    ("cleared", "pending", "void")[n % 3],
                    f"Voucher 2024/{1040 + n}",
                    70 + n % 3,
                )
                + (round(19.9 * n, 2), f"Payment to supplier {n}")
                for n in range(1, 13)
            ),
        ),
        sources={},
        tags={},
    )
)

# No source: `keywords` holds what people wrote, sentences with commas, and none twice.
APPLICATIONS.append(
    Application(
        name="survey",
        schema="""
CREATE TABLE responses (id INTEGER PRIMARY KEY, respondent TEXT NOT NULL, submitted_at TEXT NOT NULL, age_group TEXT, satisfaction INTEGER, keywords TEXT,
  comments TEXT);
"""
        + rows(
            "responses",
            "id, respondent, submitted_at, age_group, satisfaction, keywords, comments",
            *(
                (n, f"R-{100 + n}", f"2024-03-{n:02}T10:00:00", ("18-29", "30-49", "50+")[n % 3], n % 5 + 1, answer, "")
                for n, answer in enumerate(
                    (
                        "I mostly come for the quiet, and because the staff remember my name.",
                        "Too crowded on Saturdays, although the new reading room helps a little.",
                        "My children love the puppet shows, but parking is a nightmare.",
                        "Nothing comes to mind.",
                        "It would be nice if you opened earlier, say at eight, for people who work.",
                        "Warm, dry, free, and nobody asks what I am doing there.",
                        "The catalogue on the web is slow, so I ask at the desk instead.",
                        "Honestly, I have no idea what you expect me to write here.",
                    ),
                    1,
                )
            ),
        ),
        sources={},
        tags={},
    )
)

# No source: the `tag` of a log line is its own identifier; the levels repeat but are no tags.
APPLICATIONS.append(
    Application(
        name="log",
        schema="""
CREATE TABLE log (id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, host TEXT NOT NULL, level TEXT NOT NULL, tag TEXT NOT NULL, message TEXT NOT NULL);
"""
        + rows(
            "log",
            "id, timestamp, host, level, tag, message",
            *(
                (
                    n,
                    f"2024-05-01T12:00:{n:02}Z",
                    f"web{n % 2}",
                    ("INFO", "WARN", "ERROR")[n % 3],
                    f"req-{n * 48271 % 65536:04x}",
                    f"GET /page/{n} took {n * 7} ms",
                )
                for n in range(1, 13)
            ),
        ),
        sources={},
        tags={},
    )
)


def check(application: Application) -> list[str]:
    """What is wrong with an expectation itself: tables, columns and titles that the schema does not have."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(application.schema)
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        columns = {table: [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')] for table in tables}
        texts = {value for table in tables for row in db.execute(f'SELECT * FROM "{table}"') for value in row if isinstance(value, str)}
        broken = list(db.execute("PRAGMA foreign_key_check"))
    problems = [f"no title {title!r}" for titles in application.tags.values() for title in titles if title not in texts]
    problems += [f"no table {table!r}" for table in application.sources if table not in columns]
    problems += [
        f"no column {table}.{column}" for table, column in application.sources.items() if column and column not in columns.get(table, ())
    ]
    problems += [f"no column {table}.{column}" for table, column in application.content.items() if column not in columns.get(table, ())]
    known = {column for names in columns.values() for column in names}
    problems += [f"no column {column!r} for {table}" for table, column in application.where.items() if column not in known]
    problems += [f"{table!r} is not a source" for table in (*application.where, *application.content) if table not in application.sources]
    problems += [f"broken foreign key {key}" for key in broken]
    return problems


if __name__ == "__main__":
    failed = False
    for application in APPLICATIONS:
        problems = check(application)
        failed = failed or bool(problems)
        print(application.name, "; ".join(problems) or "ok")
    raise SystemExit(failed)
