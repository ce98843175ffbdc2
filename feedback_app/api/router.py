"""The addresses of the API's rows."""

from typing import Any

from rest_framework.routers import DefaultRouter
from rest_framework.viewsets import ViewSetMixin

from feedback_app.rest.views import Rows

LIST_NAMES = {"readings": "stored-readings"}
"""Names of lists whose own is taken: ``readings`` is where a reader sends one."""


class Router(DefaultRouter):
    """Names a list by its rows, ``batches``, and one row and what it does by it alone."""

    include_format_suffixes = False

    def __init__(self) -> None:
        super().__init__(use_regex_path=False)
        self.prefixes: dict[type[ViewSetMixin], str] = {}

    def add(self, prefix: str, view: type[Rows], name: str) -> None:
        self.prefixes[view] = LIST_NAMES.get(prefix, prefix)
        self.register(prefix, view, basename=name)

    def get_routes(self, viewset: type[ViewSetMixin]) -> list[Any]:
        named = {"{basename}-list": self.prefixes[viewset], "{basename}-detail": "{basename}"}
        return [
            route._replace(name=named.get(route.name, route.name))
            for route in super().get_routes(viewset)
        ]

    def get_api_root_view(self, api_urls: Any = None) -> Any:
        lists = {prefix: self.prefixes[view] for prefix, view, _ in self.registry}
        return self.APIRootView.as_view(api_root_dict=lists)
