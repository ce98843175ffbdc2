"""The schema, the page to try it on, and what is answered where the API has no address."""

from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_required
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


@cache
def schema_of_all() -> Any:
    """Returns the schema, made once by each process: it is the same for everybody."""
    return SchemaGenerator().get_schema(request=None, public=True)


class SchemaView(SpectacularAPIView):
    """JSON unless YAML is asked for, which takes much longer to write."""

    renderer_classes = [OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer2]
    query_parameters = frozenset({"format"})

    def _get_schema_response(self, request: Request) -> Response:
        return Response(schema_of_all())


class DocsView(SpectacularSwaggerSplitView):
    """A page: whoever is not logged in is led to the login, as on any other."""

    url_name = "api:schema"
    query_parameters = frozenset({"script"})


show_docs = login_required(DocsView.as_view())


class NowhereView(APIView):
    """Says so in the API's one error shape, whoever asks and by whatever method."""

    schema = None
    permission_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound("The API has no such address.")
