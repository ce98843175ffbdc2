"""Every setting, typed, from the environment; a bad value stops the start.

``docker/.env.example`` lists them all, and a test holds it complete.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp import constants as csp

from feedback_app.environment import (
    amounts,
    bucket,
    database,
    flag,
    issuer,
    networks,
    number,
    one_of,
    roles,
    roles_of_groups,
    text,
    with_quoted_password,
    words,
)

ROOT = Path(__file__).resolve().parent.parent

DEBUG = flag("DEBUG", default=False)
SECRET_KEY = text("SECRET_KEY", "only-for-development" if DEBUG else None)
ALLOWED_HOSTS = words("ALLOWED_HOSTS", "localhost,127.0.0.1")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")

DATABASES = {"default": database(text("DATABASE_URL", "postgresql://localhost/reading_room"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = with_quoted_password("REDIS_URL", text("REDIS_URL", "redis://localhost:6379/0"))
# Celery and the cache write a socket and its database differently.
_CACHE_URL = REDIS_URL.replace("redis+socket://", "unix://").replace("?virtual_host=", "?db=")
# Where Redis does not answer so soon, pages do without it for some seconds.
REDIS_TIMEOUT_S = 0.5
CACHES: dict[str, dict[str, Any]] = {
    alias: {
        "BACKEND": f"feedback_app.caching.{backend}",
        "LOCATION": _CACHE_URL,
        "OPTIONS": {
            "socket_timeout": REDIS_TIMEOUT_S,
            "socket_connect_timeout": REDIS_TIMEOUT_S,
        },
    }
    for alias, backend in (("default", "FallbackCache"), ("sessions", "SessionCache"))
}

INSTALLED_APPS = [
    "feedback_app.lists",
    "feedback_app.rest",
    "feedback_app.accounts",
    "feedback_app.notices",
    "feedback_app.runs",
    "feedback_app.images",
    "feedback_app.studies",
    "feedback_app.readings",
    "feedback_app.finetuning",
    "feedback_app.curation",
    "feedback_app.exports",
    "feedback_app.experiments",
    "feedback_app.vlms",
    "feedback_app.webhooks",
    "feedback_app.results",
    "feedback_app.provenance",
    "feedback_app.rehearsal",
    "feedback_app.operations",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    "django_celery_beat",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
]

MIDDLEWARE = [
    "feedback_app.operations.health.answer_health_checks",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "feedback_app.accounts.middleware.keep_answers_nowhere",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "feedback_app.incoming.RefuseUnreadable",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "feedback_app.accounts.middleware.SessionTimeout",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "feedback_app.accounts.middleware.PasswordChangeRequired",
    "feedback_app.accounts.middleware.SecondFactorRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "feedback_app.remedies.RemedyPage",
    "axes.middleware.AxesMiddleware",
]

# Who may read /metrics; where nobody may, nothing is counted.
METRICS_TOKEN = text("METRICS_TOKEN", "")
METRICS_NETWORKS = networks("METRICS_NETWORKS", words("METRICS_NETWORKS"))
if METRICS_TOKEN or METRICS_NETWORKS:
    MIDDLEWARE.insert(0, "feedback_app.operations.metrics.measure_requests")

LOG_FORMAT = one_of("LOG_FORMAT", ("plain", "json"), default="plain")
if LOG_FORMAT == "json":
    MIDDLEWARE.insert(0, "feedback_app.logs.log_requests")

# Scripts come from files of ours alone: no inline script, handler or eval runs.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.SELF],
        "img-src": [csp.SELF, "blob:", "data:"],
        "style-src": [csp.SELF, csp.UNSAFE_INLINE],  # widths of bars; Annotorious adds styles
        "object-src": [csp.NONE],
        "base-uri": [csp.NONE],
        "form-action": [csp.SELF],
        "frame-ancestors": [csp.NONE],
    }
}

ROOT_URLCONF = "feedback_app.urls"
WSGI_APPLICATION = "feedback_app.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "feedback_app.accounts.context.login_time",
                "feedback_app.notices.context.unread_notices",
            ],
        },
    }
]
FORM_RENDERER = "feedback_app.form_renderer.FormRenderer"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "feedback_app.accounts.second_factors.CodeBackend",
]
PASSWORD_MIN_LENGTH = 10
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": PASSWORD_MIN_LENGTH}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:login"

# Every request asks for its session: the cache answers, and the database where it cannot.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_CACHE_ALIAS = "sessions"
# A login ends after SESSION_HOURS in any case, and earlier where nobody does anything.
SESSION_COOKIE_AGE = number("SESSION_HOURS", default=12) * 3600
SESSION_IDLE_S = number("SESSION_IDLE_MIN", default=60) * 60
SESSION_WARN_S = 120
# What somebody does is noted at most this often, so that not every request writes.
SESSION_REFRESH_S = 60
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# Failed logins by one name from one address, and by any name from one address, lock for a while.
LOGIN_FAILURES = number("LOGIN_FAILURES", default=5)
LOGIN_FAILURES_PER_ADDRESS = number("LOGIN_FAILURES_PER_ADDRESS", default=50)
# By one name from anywhere; its owner still gets in from where they logged in before.
LOGIN_FAILURES_PER_NAME = number("LOGIN_FAILURES_PER_NAME", default=30)
LOGIN_KNOWN_DAYS = 90
# Their word in X-Forwarded-For is taken; nobody else's is.
TRUSTED_PROXIES = networks("TRUSTED_PROXIES", words("TRUSTED_PROXIES"))
AXES_HANDLER = "feedback_app.accounts.throttle.LoginThrottle"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address", "username"]
AXES_FAILURE_LIMIT = LOGIN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=number("LOGIN_LOCK_MIN", default=15))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "feedback_app.accounts.throttle.locked_response"
AXES_CLIENT_IP_CALLABLE = "feedback_app.accounts.addresses.counted_address"
# The audit log has the logins, and a page of ours unlocks.
AXES_DISABLE_ACCESS_LOG = True
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code"]
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Single sign-on by OpenID Connect; without an issuer there is none.
OIDC_ISSUER = issuer("OIDC_ISSUER", text("OIDC_ISSUER", ""))
OIDC_CLIENT_ID = text("OIDC_CLIENT_ID", None if OIDC_ISSUER else "")
OIDC_CLIENT_SECRET = text("OIDC_CLIENT_SECRET", None if OIDC_ISSUER else "")
# What its button says after "Log in with".
OIDC_NAME = text("OIDC_NAME", "single sign-on")
OIDC_SCOPES = text("OIDC_SCOPES", "openid profile email")
OIDC_LOGIN_CLAIM = text("OIDC_LOGIN_CLAIM", "preferred_username")
OIDC_GROUPS_CLAIM = text("OIDC_GROUPS_CLAIM", "groups")
# Whoever is in none of these groups stays out; without any, admins give roles here.
OIDC_ROLES = roles_of_groups("OIDC_ROLES", text("OIDC_ROLES", ""))
OIDC_ADDS_PEOPLE = flag("OIDC_ADDS_PEOPLE", default=False)
# Who logs in with a password and has one of these roles has to have a second factor.
SECOND_FACTOR_ROLES = roles("SECOND_FACTOR_ROLES", words("SECOND_FACTOR_ROLES"))

HTTPS_ONLY = flag("HTTPS_ONLY", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS_ONLY else None
SECURE_HSTS_SECONDS = number("HSTS_SECONDS", default=3600) if HTTPS_ONLY else 0

# Without a host for outgoing mail, notices stay in the product.
EMAIL_HOST = text("EMAIL_HOST", "")
EMAIL_PORT = number("EMAIL_PORT", default=587)
EMAIL_HOST_USER = text("EMAIL_USER", "")
EMAIL_HOST_PASSWORD = text("EMAIL_PASSWORD", "")
EMAIL_USE_TLS = flag("EMAIL_TLS", default=True)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = text("EMAIL_FROM", "reading-room@localhost")
# What addresses in mails begin with.
SITE_ADDRESS = text("SITE_ADDRESS", "http://localhost:8000").rstrip("/")

LANGUAGE_CODE = "en-gb"
TIME_ZONE = text("TIME_ZONE", "UTC")
USE_TZ = True

# Blobs, run folders and model versions; several hosts share this folder, or a bucket.
DATA_ROOT = Path(text("DATA_ROOT", str(ROOT / ".reading-room" / "data")))
MEDIA_ROOT = DATA_ROOT / "blobs"
RUNS_ROOT = DATA_ROOT / "runs"
MODELS_ROOT = DATA_ROOT / "models"

# s3://bucket/prefix; without it DATA_ROOT holds everything.
STORAGE_URL = text("STORAGE_URL", "")
# What a host keeps of the bucket's files, and how exports leave it.
STORAGE_CACHE_BYTES = number("STORAGE_CACHE_BYTES", default=20 * 1024**3)
STORAGE_SIGNED_DOWNLOADS = flag("STORAGE_SIGNED_DOWNLOADS", default=False)
STORAGES = {
    "default": bucket(
        STORAGE_URL,
        endpoint=text("STORAGE_ENDPOINT", ""),
        region=text("STORAGE_REGION", ""),
        access_key=text("STORAGE_ACCESS_KEY", ""),
        secret_key=text("STORAGE_SECRET_KEY", ""),
    )
    if STORAGE_URL
    else {"BACKEND": "feedback_app.images.blobs.storage.BlobStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

STATIC_URL = "static/"
STATIC_ROOT = DATA_ROOT / "static"
STATICFILES_DIRS = [
    ROOT / "static",
    ("htmx", ROOT / "node_modules" / "htmx.org" / "dist"),
    ("annotorious", ROOT / "node_modules" / "@annotorious" / "annotorious" / "dist"),
]
WHITENOISE_USE_FINDERS = True

# Uploads and imports are bounded: a picture larger than this is refused unread.
IMAGE_MAX_PIXELS = number("IMAGE_MAX_PIXELS", default=40_000_000)
IMAGE_MAX_BYTES = number("IMAGE_MAX_BYTES", default=64 * 1024 * 1024)
# What a data set that comes over the API may unpack to.
UPLOAD_MAX_BYTES = number("UPLOAD_MAX_BYTES", default=16 * 1024**3)

CELERY_BROKER_URL = REDIS_URL
# A wake-up that cannot be sent at once is left to the next sweep.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 2.0,
    "socket_connect_timeout": 2.0,
    "max_retries": 0,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any pause of Redis
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# A sweep on each queue: while one worker is busy, another one sweeps. Nobody reads a late one.
CELERY_BEAT_SCHEDULE = {
    f"sweep-runs-{queue}": {
        "task": "runs.sweep",
        "schedule": 15.0,
        "options": {"queue": queue, "expires": 15.0},
    }
    for queue in ("cpu", "gpu")
}
for _name, _task, _every_s in (
    # Seats of pool cases that were claimed and not read go to somebody else.
    ("release-lapsed-leases", "readings.release_lapsed", 60.0),
    ("send-mail", "notices.send_mail", 60.0),
    ("remind-readers", "studies.remind", 3600.0),
    ("discard-uploads", "images.discard_uploads", 24 * 3600.0),
    ("tell-webhooks", "webhooks.notice", 15.0),
):
    CELERY_BEAT_SCHEDULE[_name] = {
        "task": _task,
        "schedule": _every_s,
        "options": {"queue": "cpu", "expires": min(_every_s, 3600.0)},
    }
CELERY_TIMEZONE = TIME_ZONE

# Networks that webhooks may be sent to beside public addresses, and without TLS.
WEBHOOK_NETWORKS = networks("WEBHOOK_NETWORKS", words("WEBHOOK_NETWORKS"))

# A case claimed from an open pool is its reader's own for this long after the last heartbeat.
LEASE_S = number("LEASE_S", default=15 * 60)

# A run without a heartbeat for this long is taken up by another worker.
RUN_HEARTBEAT_TIMEOUT_S = number("RUN_HEARTBEAT_TIMEOUT_S", default=60)
# What the worker process that has this in its environment takes: kinds of runs, or all of its
# queues, and runs that need no more GPU memory than this; 0 stands for what the driver tells.
WORKER_KINDS = words("WORKER_KINDS")
WORKER_GPU_GB = number("WORKER_GPU_GB", default=0)
# GPU memory that runs of a kind need, such as finetune=24,train_vlm=40; others fit everywhere.
RUN_GPU_GB = amounts("RUN_GPU_GB")

# Trainings by several processes, and by several hosts that meet at the worker's address.
TRAINING_PROCESSES = number("TRAINING_PROCESSES", default=1)
TRAINING_HOSTS = number("TRAINING_HOSTS", default=1)
TRAINING_ADDRESS = text("TRAINING_ADDRESS", "127.0.0.1:29500")

# torch device of the GPU worker: cuda, cuda:1, mps or cpu; "auto" takes what is there.
TORCH_DEVICE = text("TORCH_DEVICE", "auto")

# Programs come with a token of a person, pages with a session.
KNOX_TOKEN_MODEL = "accounts.Token"  # noqa: S105  the name of a model
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_PREFIX": "rr_"}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "feedback_app.accounts.tokens.TokenLogin",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["feedback_app.incoming.BoundedJSONParser"],
    "EXCEPTION_HANDLER": "feedback_app.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DEFAULT_SCHEMA_CLASS": "feedback_app.rest.schema.Schema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Reading Room",
    "DESCRIPTION": "Everything that a page does, for programs.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api",
    # With ?fields= an answer has fewer fields, so that none is sure to be there.
    "COMPONENT_NO_READ_ONLY_REQUIRED": True,
    "POSTPROCESSING_HOOKS": [],  # choices stand where they are made, without names of their own
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none"},
    "SWAGGER_UI_DIST": "SIDECAR",  # the page works without a network
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"ids": {"()": "feedback_app.logs.WithIds"}},
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s %(run_id)s",
            "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["ids"],
        }
    },
    "loggers": {"axes": {"level": "WARNING"}},  # a line for every step of every login
    "root": {"handlers": ["console"], "level": text("LOG_LEVEL", "INFO")},
}
