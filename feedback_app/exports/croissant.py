"""Croissant 1.0 metadata of an export: its tables and their columns, for programs that find data.

See mlcommons.org/croissant: JSON-LD on schema.org's Dataset.
"""

import json
from datetime import datetime

from django.utils.text import slugify

from feedback_app.exports.archives import Archive

CROISSANT = "croissant.json"
TYPES = {str: "sc:Text", int: "sc:Integer", float: "sc:Float"}
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
Json = dict[str, object]


def describe_dataset(archive: Archive, *, name: str, description: str, on: datetime) -> bytes:
    """Returns the metadata as JSON-LD; every table is a record set of its columns."""
    described: Json = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": description,
        "version": "1.0.0",
        "datePublished": on.date().isoformat(),
        "distribution": [_file(name, archive) for name in archive.tables],
        "recordSet": [_records(name, columns) for name, columns in archive.tables.items()],
    }
    return (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode()


def _file(name: str, archive: Archive) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{archive.files[name]['size_bytes']} B",
        "encodingFormat": "text/csv",
        "sha256": archive.files[name]["sha256"],
    }


def _records(name: str, columns: dict[str, type]) -> Json:
    identifier = name.removesuffix(".csv")
    return {
        "@type": "cr:RecordSet",
        "@id": identifier,
        "name": identifier,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{identifier}/{slugify(column)}",
                "name": column,
                "dataType": TYPES[kind],
                "source": {"fileObject": {"@id": name}, "extract": {"column": column}},
            }
            for column, kind in columns.items()
        ],
    }
