# skip_result_postprocessing
"""List supported models.

GET /v2/supported-models

Searches the catalog of supported models by product, kind of input and text. Unlike List
models it also tells on which hardware a model can be deployed.

Returns: models in data, with id, name and deploymentProfiles, and next_cursor when
there are more; an id goes to models/get_supported_model.

Rendered from schemas/models/list_supported_models.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    adapterMode: str | None = None,
    after: str | None = None,
    limit: int | None = None,
    modality: str | None = None,
    product: str | None = None,
    search: str | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        adapterMode=adapterMode,
        after=after,
        limit=limit,
        modality=modality,
        product=product,
        search=search,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/supported-models", "retry": "read", "pages": "cursor",
  "arguments": {
    "properties": {
      "adapterMode": {"type": "string", "enum": ["ADAPTER_MODE_FIXED", "ADAPTER_MODE_DYNAMIC",
          "ADAPTER_MODE_DISABLED"],
        "x-in": "query"},
      "after": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "modality": {"type": "string", "x-in": "query"},
      "product": {"type": "string", "x-in": "query"},
      "search": {"type": "string", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
