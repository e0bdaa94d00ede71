# skip_result_postprocessing
"""Update cluster.

PUT /v1/compute/clusters/{cluster_id}

Changes the size, end time, add-ons or settings of a GPU cluster. What is left empty
stays as it is; more GPUs cost more money.

Returns: the cluster as it is now; follow status with Get cluster until it is Ready
again.

Example arguments:
    {"cluster_id": "a1b2c3d4-5e6f-4a70-8b91-c2d3e4f5a6b7", "body": {"num_gpus": 16}}

Rendered from schemas/clusters/update_cluster.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Dashboard(TypedDict):
        enabled: NotRequired[bool]

    class Config(TypedDict):
        dashboard: NotRequired[Dashboard]
        headlamp: NotRequired[Dashboard]
        ingress: NotRequired[Dashboard]
        slurm_web: NotRequired[Dashboard]

    class AddOns(TypedDict):
        name: str
        config: NotRequired[Config]

    class SlurmStartupScripts(TypedDict):
        controller_epilog: NotRequired[str]
        controller_prolog: NotRequired[str]
        extra_slurm_conf: NotRequired[str]
        login_init_script: NotRequired[str]
        nodeset_init_script: NotRequired[str]
        worker_epilog: NotRequired[str]
        worker_prolog: NotRequired[str]

    class ClusterConfig(TypedDict):
        load_balancer: Literal["NONE", "TRAEFIK", "NGINX", "ISTIO"]
        ingress: NotRequired[Dashboard]
        jumphost_enabled: NotRequired[bool]
        kubernetes_dashboard_enabled: NotRequired[bool]
        observability: NotRequired[Dashboard]
        gpu_operator_version: NotRequired[str]
        network_operator_version: NotRequired[str]
        slurm_startup_scripts: NotRequired[SlurmStartupScripts]
        ssh_ca_enabled: NotRequired[bool]

    class Body(TypedDict):
        num_gpus: NotRequired[int]
        reservation_end_time: NotRequired[str]
        num_reserved_gpus: NotRequired[int]
        num_preemptible_gpus: NotRequired[int]
        num_capacity_pool_gpus: NotRequired[int]
        cluster_type: NotRequired[object]
        add_ons: NotRequired[list[AddOns]]
        cluster_config: NotRequired[ClusterConfig]


def main(auth: togetherai, cluster_id: str, body: "Body" = None):
    return run(call, auth, OPERATION, cluster_id=cluster_id, body=body)


# fmt: off
OPERATION = {"method": "PUT", "path": "/v1/compute/clusters/{cluster_id}", "retry": "mutates",
  "find": "clusters/get_cluster", "arguments": {"required": ["cluster_id"], "properties": {
      "cluster_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "num_gpus": {"type": "integer"},
          "reservation_end_time": {"type": "string"},
          "num_reserved_gpus": {"type": "integer"},
          "num_preemptible_gpus": {"type": "integer"},
          "num_capacity_pool_gpus": {"type": "integer"},
          "cluster_type": {"enum": ["KUBERNETES", "SLURM"]},
          "add_ons": {"type": "array", "items": {"type": "object", "required": ["name"],
              "properties": {
                "name": {"type": "string"},
                "config": {"type": "object", "x-choice": True, "properties": {
                    "dashboard": {"type": "object", "x-choice": True, "properties": {"enabled": {"type": "boolean"}}},
                    "headlamp": {"type": "object", "x-choice": True, "properties": {"enabled": {"type": "boolean"}}},
                    "ingress": {"type": "object", "x-choice": True, "properties": {"enabled": {"type": "boolean"}}},
                    "slurm_web": {"type": "object", "x-choice": True, "properties": {"enabled": {"type": "boolean"}}}}}}}},
          "cluster_config": {"type": "object", "required": ["load_balancer"], "x-choice": True,
            "properties": {
              "load_balancer": {"type": "string", "enum": ["NONE", "TRAEFIK", "NGINX", "ISTIO"]},
              "ingress": {"type": "object", "x-choice": True, "properties": {"enabled": {"type": "boolean"}}},
              "jumphost_enabled": {"type": "boolean"},
              "kubernetes_dashboard_enabled": {"type": "boolean"},
              "observability": {"type": "object", "x-choice": True, "properties": {"enabled": {"type": "boolean"}}},
              "gpu_operator_version": {"type": "string"},
              "network_operator_version": {"type": "string"},
              "slurm_startup_scripts": {"type": "object", "x-choice": True, "properties": {
                  "controller_epilog": {"type": "string"},
                  "controller_prolog": {"type": "string"},
                  "extra_slurm_conf": {"type": "string"},
                  "login_init_script": {"type": "string"},
                  "nodeset_init_script": {"type": "string"},
                  "worker_epilog": {"type": "string"},
                  "worker_prolog": {"type": "string"}}},
              "ssh_ca_enabled": {"type": "boolean"}},
            "x-advanced": True}}}}}}
