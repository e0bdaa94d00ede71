# skip_result_postprocessing
"""Get image repository base path.

GET /v1/image-repositories/base-path

Tells the registry address under which your container images are stored. Push an image
below it before creating a deployment.

Returns: an object whose base-path is the address; leave off any leading https:// and
add /name:tag to get the image name for deployments/create_deployment.

Rendered from schemas/deployments/get_image_repository_base_path.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/image-repositories/base-path",
    "retry": "read",
    "arguments": {"properties": {}},
}
