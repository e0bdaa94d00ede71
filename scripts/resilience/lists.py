"""Which operation lists what is under a path, for the advice after a 404.

Rendered from schemas/; edit those, not this.
"""

LISTS = {
    "/v1/batches": "batches/list_batches",
    "/v1/compute/clusters": "clusters/list_clusters",
    "/v1/compute/clusters/storage/volumes": "clusters/list_cluster_storage_volumes",
    "/v1/compute/clusters/{cluster_id}/instances/{instance_id}/remediations": "clusters/list_remediations",
    "/v1/deployments": "deployments/list_deployments",
    "/v1/deployments/secrets": "deployments/list_deployment_secrets",
    "/v1/deployments/storage/volumes": "deployments/list_deployment_volumes",
    "/v1/deployments/{deployment_id}/revisions": "deployments/list_deployment_revisions",
    "/v1/endpoints": "endpoints/list_endpoints",
    "/v1/evaluation": "evaluations/list_evaluations",
    "/v1/files": "files/list_files",
    "/v1/fine-tunes": "fine_tuning/list_fine_tunes",
    "/v1/jobs": "models/list_model_upload_jobs",
    "/v1/rl/checkpoints": "rl/list_rl_checkpoints",
    "/v1/rl/model-resources": "rl/list_model_resources",
    "/v1/rl/training-sessions": "rl/list_training_sessions",
    "/v1/shaping": "shaping/list_shaping_jobs",
    "/v2/projects/{project_id}/configs": "models/list_model_configs",
    "/v2/projects/{project_id}/endpoints": "endpoints/list_project_endpoints",
    "/v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments": "endpoints/list_ab_experiments",
    "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments": "endpoints/list_endpoint_deployments",
    "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/adapters": "endpoints/list_deployment_adapters",
    "/v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts": "endpoints/list_rollouts",
    "/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments": "endpoints/list_shadow_experiments",
    "/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}/targets": "endpoints/list_shadow_experiment_targets",
    "/v2/projects/{project_id}/models": "models/list_project_models",
    "/v2/projects/{project_id}/models/uploads": "models/list_model_remote_uploads",
    "/v2/projects/{project_id}/placement-profiles": "endpoints/list_placement_profiles",
    "/v2/public/inference-instance-types": "hardware/list_inference_instance_types",
    "/v2/supported-models": "models/list_supported_models",
}
