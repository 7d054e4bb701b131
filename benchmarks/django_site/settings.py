"""Settings as for a site in production, over the file that BENCH_DATABASE names."""

import os

DEBUG = False
SECRET_KEY = "nothing here is secret"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "django_site.urls"
INSTALLED_APPS = ["django_site"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BENCH_DATABASE"]}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
