"""Settings: one file, everything a deployment turns is an environment variable.

Each variable may also be given as ``NAME_FILE``, the path of a file that holds the value (Docker and Kubernetes
secrets). ``.env`` beside ``manage.py`` is read as well; a real environment variable wins over it.
"""

import os
import secrets
import sys
from functools import partial
from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from .environment import Env
from .oidc import socialaccount_providers
from .theme import UNFOLD  # noqa: F401 - read by the admin's theme

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules

env = Env()
if not TESTING:
    Env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var")))


def _secret_key() -> str:
    """SECRET_KEY from the environment, or one made at the first start and kept in ``DATA_DIR`` (mode 0600)."""
    if given := env.str("SECRET_KEY", default=""):
        return str(given)
    path = DATA_DIR / "secret-key"
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", opener=partial(os.open, mode=0o600)) as new:
            new.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass
    return path.read_text().strip()


SECRET_KEY = "not-a-secret-" * 5 if TESTING else _secret_key()
DEBUG = env.flag("DEBUG", default=False)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["*"])
# Where people reach the gateway, e.g. https://gateway.example.com; empty: as each request's Host header says.
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
HTTPS = env.flag("HTTPS", default=PUBLIC_URL.startswith("https://"))
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL] if PUBLIC_URL else [])
# Old values stay listed after the first, so that what they sealed can still be read: "2:…,1:…". Empty: derived
# from SECRET_KEY. See accounting/secrets.py.
ENCRYPTION_KEYS: list[str] = env.list("ENCRYPTION_KEYS", default=[])
KEY_PEPPERS: list[str] = env.list("KEY_PEPPERS", default=[])

INSTALLED_APPS = [
    # First: it gives runserver its ASGI server. Only there, for Twisted costs every other process a second and 20 MB.
    *(["daphne"] if "runserver" in sys.argv else []),
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "auditlog",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "accounting",
    "routing",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "accounting.pages.middleware.StaticFiles",
    "accounting.pages.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounting.pages.middleware.ViewerTimeZone",
    "accounting.pages.middleware.AuditLog",
]

ROOT_URLCONF = "proxysite.urls"
ASGI_APPLICATION = "proxysite.asgi.application"
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
                "accounting.pages.context.portal",
            ],
            "builtins": ["accounting.pages.figures"],
        },
    }
]

# --- what it stands on: a database, and Redis when there are several hosts -------------------------------------

DATABASES = {
    "default": env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'tollgate.sqlite3'}"),
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        # A writer takes its lock at BEGIN, so two writers queue for `timeout` seconds instead of failing.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # WAL: readers never wait for the writer. NORMAL: a killed process loses nothing; a power cut may lose the
        # last commits, never the file. Checkpoints wait for the disk, and one request with them: at 32 MiB of log, not
        # SQLite's 4, that is one in some hundreds.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000;"
        " PRAGMA wal_autocheckpoint=8192;",
    }
    # A file, not memory: the ledger's writer is a thread with a connection of its own.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    # Nothing that outlives a transaction, so that a pooler of transactions (PgBouncer) may stand between.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("prepare_threshold", None)
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    # A new connection costs PostgreSQL a process: they are kept, and looked at before they are used again.
    DATABASES["default"]["CONN_MAX_AGE"] = 0 if TESTING else env.number("DATABASE_CONN_MAX_AGE", 60, least=0)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Reports, lists of requests and the API's reads of usage come from here, while it is less far behind than that.
if env.str("DATABASE_REPLICA_URL", default=""):
    DATABASES["replica"] = env.database("DATABASE_REPLICA_URL", "")
    for _setting in ("OPTIONS", "DISABLE_SERVER_SIDE_CURSORS", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS"):
        if _setting in DATABASES["default"]:
            DATABASES["replica"].setdefault(_setting, DATABASES["default"][_setting])
    if DATABASES["replica"]["ENGINE"].endswith("postgresql"):  # reports do not wait long for a host that is gone
        DATABASES["replica"]["OPTIONS"] = {"connect_timeout": 3} | DATABASES["replica"]["OPTIONS"]
    DATABASES["replica"]["TEST"] = {"MIRROR": "default"}
DATABASE_REPLICA_MAX_LAG_SECONDS = env.number("DATABASE_REPLICA_MAX_LAG_SECONDS", 30.0, least=0.0)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis("REDIS_URL")
CHANNEL_LAYERS = {
    "default": (
        {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # Else each new connection looks redis-py's own version up on the disk, in the event loop.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "driver_info": None}]},
        }
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

CACHES = {
    "default": (
        {"BACKEND": "proxysite.cache.PatientRedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}
# smtp+tls://user:password@host:587 and the like; without it nothing is sent, and no page offers to send.
MAIL_IS_SENT = bool(env.str("EMAIL_URL", default=""))
globals().update(env.email_url("EMAIL_URL", default="dummymail://"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("MAIL_FROM", default="tollgate@localhost")

# --- who may come in -------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounting.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounting.pages.adapters.AccountAdapter"
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by admins or by single sign-on, never by strangers
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Tollgate] "
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",  # the key is the name that was tried
    "reset_password": "10/m/ip,3/m/key",
    "reauthenticate": "10/m/user",
}
MFA_ADAPTER = "accounting.pages.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Tollgate"
MFA_ALLOW_UNVERIFIED_EMAIL = True
SOCIALACCOUNT_ADAPTER = "accounting.pages.adapters.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = socialaccount_providers(env.ENVIRON)
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_LOGIN_ON_GET = True  # a link, not a form: form-action stays 'self' wherever a provider redirects to
SOCIALACCOUNT_STORE_TOKENS = False

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000 if HTTPS else 0, least=0)
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # other names below this one, and
    "security.W021",  # browsers' lists of names that are HTTPS for ever, are not ours to speak for
    "security.W008",  # whoever ends TLS leads to it: a redirect of ours would lose a request's body
]
CSRF_FAILURE_VIEW = "accounting.pages.errors.csrf_failure"
_OWN = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],  # data: the QR code of an authenticator app
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": _OWN}
# The admin's theme runs on Alpine, which compiles its attributes; the API's browsable pages style themselves inline.
CONTENT_SECURITY_POLICY_BY_PREFIX = {
    "/admin/": {
        **_OWN,
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
    },
    "/api/": {**_OWN, "style-src": [SELF, UNSAFE_INLINE]},
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")
USE_TZ = True
FORMAT_MODULE_PATH = "proxysite.formats"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounting.api.authentication.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounting.api.parsers.BoundedJSONParser"],
    "EXCEPTION_HANDLER": "accounting.api.errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tollgate",
    "DESCRIPTION": "Everything the pages do, for programs. Show a gateway key as bearer token or as x-api-key.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/",
    "ENUM_NAME_OVERRIDES": {
        "TeamRoleEnum": "accounting.models.people.Membership.Role",
        "DialectEnum": "routing.models.Dialect",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounting.api.openapi.document_refusals",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.orjson.OrjsonFormatter",
            "fmt": "{levelname}{name}{message}",
            "style": "{",
            "timestamp": "time",
            "rename_fields": {"levelname": "level", "name": "logger"},
        },
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": env.choice("LOG_FORMAT", ("line", "json"), "line")},
    },
    "root": {
        "handlers": ["stderr"],
        "level": env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO"),
    },
}

# Who may read /metrics: whoever shows the token as a bearer token, and whoever asks from one of the networks. Neither
# set: nobody, and the path is not there.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_NETWORKS: list[str] = env.list("METRICS_NETWORKS", default=[])

# Where OpenTelemetry traces go, e.g. http://collector:4318. Empty: there are none, and nothing of it is imported.
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
OTEL_SERVICE_NAME = env.str("OTEL_SERVICE_NAME", default="tollgate")

# --- what the first start reads of providers (routing.environment); from then on the database rules ------------

PROVIDER_ENVIRONMENT = {
    name: env.str(name, default="")
    for name in (
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "GEMINI_API_KEY",
        "PREFERRED_PROVIDER",
        "BIG_MODEL",
        "SMALL_MODEL",
        "OPENAI_BASE_URL",
        "GEMINI_API_BASE",
        "ANTHROPIC_API_BASE",  # never ANTHROPIC_BASE_URL: that is the client's own, and may point at us
    )
}

# --- the line --------------------------------------------------------------------------------------------------

HOST = env.str("HOST", default="127.0.0.1")
PORT = env.number("PORT", 8082, least=1, most=65535)
WORKERS = env.number("WORKERS", 1, least=1)
# After SIGTERM: how long a worker says that it is leaving while it still serves (longer than a balancer takes to
# notice), and then how long running answers may take.
DRAIN_NOTICE_SECONDS = env.number("DRAIN_NOTICE_SECONDS", 1.0, least=0.0)
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 600, least=0)
# Reverse proxies whose X-Forwarded-For is believed, as CIDR blocks.
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", default=[])
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
GATEWAY_MAX_BODY_BYTES = env.number("GATEWAY_MAX_BODY_BYTES", 32 * 1024 * 1024, least=1024)  # Anthropic's own limit
GATEWAY_MAX_IN_FLIGHT = env.number("GATEWAY_MAX_IN_FLIGHT", 2000, least=1)  # a worker's; beyond it, 429 at once
GATEWAY_PING_SECONDS = env.number("GATEWAY_PING_SECONDS", 10.0, least=0.1)  # Claude Code shows a banner at 20 s
UPSTREAM_CONNECT_SECONDS = env.number("UPSTREAM_CONNECT_SECONDS", 10.0, least=0.1)
UPSTREAM_SILENCE_SECONDS = env.number("UPSTREAM_SILENCE_SECONDS", 600.0, least=0.1)  # between two reads

# --- the ledger ------------------------------------------------------------------------------------------------

# What a budget holds back for a request in flight: its input and a "typical" answer of its model, or a "strict"
# max_tokens. Typical lets a client that always asks for 64,000 tokens live with a small budget.
BUDGET_RESERVATION = env.str("BUDGET_RESERVATION", default="typical")
LEDGER_LEASE_SECONDS = env.number(
    "LEDGER_LEASE_SECONDS", 60.0, least=0.0
)  # a silent worker's open rows are closed then
LEDGER_PATIENCE_SECONDS = env.number("LEDGER_PATIENCE_SECONDS", 15.0, least=0.0)  # for a database that has gone
# A directory: serve on while the database is away, and write the ledger from there later. Empty: refuse (503).
LEDGER_JOURNAL = env.str("LEDGER_JOURNAL", default="")
# Where a budget that fills is told of: a JSON POST. People are mailed too, if EMAIL_URL says how.
BUDGET_WEBHOOK_URL = env.str("BUDGET_WEBHOOK_URL", default="")
