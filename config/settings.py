"""Django's settings, computed from the environment. Starts nothing and connects to nothing."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from config import env, logs, site
from config.embedded import keys, postgres

try:
    ENVIRONMENT = env.read()
    SECRET_KEY = keys.secret_key(ENVIRONMENT.secret_key, ENVIRONMENT.places.keys)
    REKINDLE_ADDRESS_KEYS = keys.address_keys(ENVIRONMENT.address_keys, ENVIRONMENT.places.keys)
    REKINDLE_LINK_KEYS = keys.link_keys(ENVIRONMENT.link_keys, ENVIRONMENT.places.keys)
except (env.BadEnvironment, keys.BadKeys) as error:
    raise ImproperlyConfigured(str(error)) from error

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = ENVIRONMENT.debug

# The product's own

REKINDLE_ADMIN_URL = ENVIRONMENT.admin_url
REKINDLE_PUBLIC_URL = ENVIRONMENT.public_url
REKINDLE_COLLECT_URL = ENVIRONMENT.collect_url
REKINDLE_SHOP_URL = ENVIRONMENT.shop_url
REKINDLE_INBOX_URL = ENVIRONMENT.inbox_url
REKINDLE_SAFE_SINK = ENVIRONMENT.safe_sink
REKINDLE_COLLECT_RATE = ENVIRONMENT.collect_rate
REKINDLE_IMPORTS = ENVIRONMENT.places.home / "imports"
REKINDLE_EXPORTS = ENVIRONMENT.places.home / "exports"
REKINDLE_ERASED = ENVIRONMENT.places.home / "erased.jsonl"
REKINDLE_LEASE_SECONDS = ENVIRONMENT.lease_seconds
REKINDLE_SENDING_SECONDS = ENVIRONMENT.sending_seconds
REKINDLE_SEGMENT_SECONDS = ENVIRONMENT.segment_seconds
REKINDLE_CONVERSATIONS = ENVIRONMENT.conversations
REKINDLE_BACKOFF_SECONDS = ENVIRONMENT.backoff_seconds

# Hosts and transport

ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts or [
    ".localhost",
    "127.0.0.1",
    "[::1]",
    *{str(urlsplit(url).hostname) for url in (REKINDLE_ADMIN_URL, REKINDLE_PUBLIC_URL, REKINDLE_COLLECT_URL)},
]
ENCRYPTED = REKINDLE_ADMIN_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENCRYPTED
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if ENCRYPTED else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
SECURE_SSL_REDIRECT = ENCRYPTED
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.behind_proxy else None
SILENCED_SYSTEM_CHECKS = [
    "security.W005",
    "security.W021",
]  # other hosts of the shop's domain are not ours to decide
X_FRAME_OPTIONS = "DENY"
# A form with a rule of 200 conditions has more fields than Django expects of anybody.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# Applications

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "config.admin_app.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "csp",
    "anymail",
    "django_celery_beat",
    "crm",
    "tracking",
    "campaigns",
    "config",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.hosts.PublicHostMiddleware",
    "config.policy.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.zone.ShopTimeMiddleware",
    "crm.access.seeing.ReaderMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

# Database, broker, cache

if ENVIRONMENT.database_url:
    DATABASE: dict[str, Any] = dict(dj_database_url.parse(ENVIRONMENT.database_url))
else:
    DATABASE = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": postgres.DATABASE,
        "USER": postgres.USER,
        "HOST": str(ENVIRONMENT.places.sockets),
        "PORT": postgres.PORT,
    }
DATABASE |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASE["OPTIONS"] = {"connect_timeout": 10, **DATABASE.get("OPTIONS", {})}
if ENVIRONMENT.db_role:
    DATABASE["OPTIONS"]["assume_role"] = ENVIRONMENT.db_role
DATABASES = {"default": DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = ENVIRONMENT.broker_url or f"redis+socket://{ENVIRONMENT.places.valkey_socket}"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ENVIRONMENT.cache_url,
        "KEY_PREFIX": "rekindle-cache",
    }
}

# Celery: an alarm clock. Work lives in rows of the database, so a task lost or doubled does no harm.

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "rekindle"
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": "rekindle-celery:", "visibility_timeout": 3600}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"

# Mail

DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.from_address
vars().update(dj_email_url.parse(ENVIRONMENT.email_url))
if ENVIRONMENT.email_backend:
    EMAIL_BACKEND = ENVIRONMENT.email_backend
ANYMAIL = ENVIRONMENT.anymail

# People who log in

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# Language, time, files

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
COLLECTED = (STATIC_ROOT / "staticfiles.json").exists()
# Until collectstatic has run, files are served straight from the apps.
WHITENOISE_USE_FINDERS = not COLLECTED
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = ENVIRONMENT.places.media
MEDIA_URL = "media/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
LOGGING_CONFIG = None
logs.configure(ENVIRONMENT.log_level)

# Content security: strict, but the admin's theme needs eval for its Alpine, and shows pictures of the shop.

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
ADMIN_SECURITY_POLICY = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:", "https:", REKINDLE_SHOP_URL, REKINDLE_PUBLIC_URL],
    "font-src": [SELF, "data:"],
    "object-src": [NONE],
    "form-action": [SELF],
    "frame-src": [SELF],
    "frame-ancestors": [SELF],
    "base-uri": [NONE],
}


UNFOLD = site.UNFOLD
