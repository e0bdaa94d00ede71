# skip_result_postprocessing
"""Create cluster (costs money).

POST /v1/compute/clusters

Rents a cluster of GPU nodes with Kubernetes or Slurm. Choose region, GPU type and
NVIDIA version from List cluster regions first. On-demand clusters cost money until
Delete cluster.

Returns: the new cluster; poll Get cluster with its cluster_id until status is Ready,
then use kube_config (keep it secret).

Example arguments:
    {"body": {"billing_type": "ON_DEMAND", "cluster_name": "research-h100", "gpu_type":
    "H100_SXM", "num_gpus": 8, "nvidia_version_id":
    "nv-h100-us-central-8-570-cuda-12-8", "region": "us-central-8"}}

API reference: https://docs.together.ai/reference/clusters-create
Rendered from schemas/clusters/create_cluster.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class SharedVolume(TypedDict):
        region: str
        size_tib: int
        volume_name: str
        instance_cluster_id: NotRequired[str]
        is_lifecycle_independent: NotRequired[bool]
        project_id: NotRequired[str]

    class Dashboard(TypedDict):
        enabled: NotRequired[bool]

    class Config(TypedDict):
        dashboard: NotRequired[Dashboard]
        headlamp: NotRequired[Dashboard]
        ingress: NotRequired[Dashboard]
        slurm_web: NotRequired[Dashboard]

    class AddOns(TypedDict):
        add_on_type: str
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

    class OidcConfig(TypedDict):
        client_id: str
        group_claim: str
        group_prefix: str
        issuer_url: str
        username_claim: str
        username_prefix: str
        ca_cert: NotRequired[str]

    class AcceptanceTestsParams(TypedDict):
        dcgm_diag_level: NotRequired[str]
        dcgm_diag_skipped: NotRequired[bool]
        enabled: NotRequired[bool]
        gpu_burn_duration: NotRequired[int]
        gpu_burn_skipped: NotRequired[bool]
        nccl_multi_node_skipped: NotRequired[bool]
        nccl_single_node_skipped: NotRequired[bool]
        storage_skipped: NotRequired[bool]

    class Body(TypedDict):
        cluster_name: str
        region: str
        gpu_type: str
        num_gpus: int
        billing_type: Literal["ON_DEMAND", "RESERVED", "SCHEDULED_CAPACITY"]
        duration_days: NotRequired[int]
        reservation_start_time: NotRequired[str]
        reservation_end_time: NotRequired[str]
        cluster_type: NotRequired[Literal["KUBERNETES", "SLURM"]]
        slurm_shm_size_gib: NotRequired[int]
        shared_volume: NotRequired[SharedVolume]
        volume_id: NotRequired[str]
        auto_scale: NotRequired[bool]
        auto_scale_max_gpus: NotRequired[int]
        auto_scaled: NotRequired[bool]
        gpu_node_failover_enabled: NotRequired[bool]
        num_preemptible_gpus: NotRequired[int]
        num_reserved_gpus: NotRequired[int]
        capacity_pool_id: NotRequired[str]
        num_capacity_pool_gpus: NotRequired[int]
        nvidia_version_id: NotRequired[str]
        cuda_version: NotRequired[str]
        nvidia_driver_version: NotRequired[str]
        slurm_image: NotRequired[str]
        install_traefik: NotRequired[bool]
        add_ons: NotRequired[list[AddOns]]
        cluster_config: NotRequired[ClusterConfig]
        oidc_config: NotRequired[OidcConfig]
        acceptance_tests_params: NotRequired[AcceptanceTestsParams]
        project_id: NotRequired[str]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/compute/clusters", "retry": "creates", "find": "clusters/list_clusters",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["billing_type", "cluster_name", "gpu_type", "num_gpus", "region"],
        "properties": {
          "cluster_name": {"type": "string"},
          "region": {"type": "string"},
          "gpu_type": {"type": "string"},
          "num_gpus": {"type": "integer"},
          "billing_type": {"type": "string", "enum": ["ON_DEMAND", "RESERVED", "SCHEDULED_CAPACITY"]},
          "duration_days": {"type": "integer"},
          "reservation_start_time": {"type": "string"},
          "reservation_end_time": {"type": "string"},
          "cluster_type": {"type": "string", "enum": ["KUBERNETES", "SLURM"]},
          "slurm_shm_size_gib": {"type": "integer"},
          "shared_volume": {"type": "object", "required": ["region", "size_tib", "volume_name"],
            "properties": {
              "region": {"type": "string"},
              "size_tib": {"type": "integer"},
              "volume_name": {"type": "string"},
              "instance_cluster_id": {"type": "string"},
              "is_lifecycle_independent": {"type": "boolean"},
              "project_id": {"type": "string"}},
            "x-advanced": True},
          "volume_id": {"type": "string"},
          "auto_scale": {"type": "boolean"},
          "auto_scale_max_gpus": {"type": "integer"},
          "auto_scaled": {"type": "boolean"},
          "gpu_node_failover_enabled": {"type": "boolean"},
          "num_preemptible_gpus": {"type": "integer"},
          "num_reserved_gpus": {"type": "integer"},
          "capacity_pool_id": {"type": "string"},
          "num_capacity_pool_gpus": {"type": "integer"},
          "nvidia_version_id": {"type": "string", "minLength": 1},
          "cuda_version": {"type": "string"},
          "nvidia_driver_version": {"type": "string"},
          "slurm_image": {"type": "string"},
          "install_traefik": {"type": "boolean"},
          "add_ons": {"type": "array", "items": {"type": "object", "required": ["add_on_type", "name"],
              "properties": {
                "add_on_type": {"type": "string"},
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
            "x-advanced": True},
          "oidc_config": {"type": "object", "required": ["client_id", "group_claim", "group_prefix", "issuer_url",
              "username_claim", "username_prefix"],
            "x-choice": True, "properties": {
              "client_id": {"type": "string"},
              "group_claim": {"type": "string"},
              "group_prefix": {"type": "string"},
              "issuer_url": {"type": "string"},
              "username_claim": {"type": "string"},
              "username_prefix": {"type": "string"},
              "ca_cert": {"type": "string"}}},
          "acceptance_tests_params": {"type": "object", "x-choice": True, "properties": {
              "dcgm_diag_level": {"type": "string", "enum": ["DCGM_DIAG_LEVEL_SHORT", "DCGM_DIAG_LEVEL_MEDIUM",
                  "DCGM_DIAG_LEVEL_LONG", "DCGM_DIAG_LEVEL_EXTENDED"]},
              "dcgm_diag_skipped": {"type": "boolean"},
              "enabled": {"type": "boolean"},
              "gpu_burn_duration": {"type": "integer"},
              "gpu_burn_skipped": {"type": "boolean"},
              "nccl_multi_node_skipped": {"type": "boolean"},
              "nccl_single_node_skipped": {"type": "boolean"},
              "storage_skipped": {"type": "boolean"}}},
          "project_id": {"type": "string"}},
        "x-advanced": True, "x-groups": {"volume": {"New": "shared_volume", "Existing": "volume_id"}}}}}}
