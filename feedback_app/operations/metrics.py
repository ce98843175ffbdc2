"""Figures for Prometheus: requests and turns of the web processes, runs, workers and GPUs."""

import hmac
import os
import time
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from feedback_app.accounts.addresses import client_address
from feedback_app.operations.gathering import FOLDER
from feedback_app.operations.house import HouseCollector

TURN = "api:readings"
"""The view that stores a reading; a turn is one of its answers that stored one."""
BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)

_house = CollectorRegistry(auto_describe=False)
_house.register(HouseCollector())
_own = CollectorRegistry()
requests = Counter(
    "reading_room_requests",
    "Requests answered, by the view's name.",
    ("view", "method", "status"),
    registry=_own,
)
seconds = Histogram(
    "reading_room_request_seconds",
    "Seconds from a request to its answer, by the view's name.",
    ("view",),
    buckets=BUCKETS_S,
    registry=_own,
)
turns = Counter(
    "reading_room_turns", "Readings that readers' pages sent and had stored.", registry=_own
)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def measure_requests(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Counts requests, with how long each took; it is a middleware where figures are wanted."""

    def measuring(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = get_response(request)
        count_request(request, response, took_s=time.perf_counter() - began)
        return response

    return measuring


def count_request(request: HttpRequest, response: HttpResponse, *, took_s: float) -> None:
    """By view and not by address: there are as many of those as there are rows."""
    match = request.resolver_match
    view = (match.view_name or "unnamed") if match else "none"
    method = request.method if request.method in METHODS else "other"
    requests.labels(view, method, response.status_code).inc()
    seconds.labels(view).observe(took_s)
    if view == TURN and method == "POST" and response.status_code < HTTPStatus.BAD_REQUEST:
        turns.inc()


@require_safe
@login_not_required
def show_metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has the token or comes from an allowed network; else there is no such page."""
    if not is_allowed(request):
        raise Http404
    told = generate_latest(counted()) + generate_latest(_house)
    return HttpResponse(told, content_type=CONTENT_TYPE_LATEST)


def counted() -> CollectorRegistry:
    """Returns what the web processes of this master counted; this process alone where it has no
    other.
    """
    if FOLDER not in os.environ:
        return _own
    gathered = CollectorRegistry()
    MultiProcessCollector(gathered)
    return gathered


def is_allowed(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    token = settings.METRICS_TOKEN.encode()
    if token and hmac.compare_digest(given, token):
        return True
    address = client_address(request)
    networks = settings.METRICS_NETWORKS
    return address is not None and any(ip_address(address) in network for network in networks)
