"""A model is served under a name once, started again when stopped, and has requests."""

import pytest

from scripts.client import TogetherError
from tests.support.expected_request import main_of
from tools.models import model
from tools.operations import find
from tools.sandbox.lifecycles import RefusalError

MODEL = model("chat")


def deploy(auth, model=MODEL, name="chat", **more):
    return main_of(find("deploy_model"))(auth, model, name, **more)


def plan(auth, model=MODEL, **more):
    return main_of(find("plan_deployment"))(auth, model, **more)


def profiles(sandbox, *found):
    """Let the catalogue know these configurations of the model: name and GPUs."""
    reply = find("list_supported_models").schema["x-reply"]["data"][0]
    profile = reply["deploymentProfiles"][0]
    sandbox.answers["list_supported_models"] = lambda _: {
        "data": [
            {
                **reply,
                "deploymentProfiles": [
                    {**profile, "config": f"projects/p/configs/{name}", "gpuCount": n}
                    for name, n in found
                ],
            }
        ],
        "next_cursor": None,
    }


def instances(sandbox, **prices):
    """Let hardware be for hire: GPUs of one kind, by count, and cents an hour."""
    sandbox.answers["list_inference_instance_types"] = lambda _: {
        "data": [
            {
                "id": f"{count[1:]}xnvidia-h100-80gb",
                "gpuCount": int(count[1:]),
                "gpuType": "nvidia-h100-80gb",
                "priceCentsPerHour": cents,
            }
            for count, cents in prices.items()
        ]
    }


def shows_configurations(lifecycles):
    """Let the sandbox say of a deployment by which configuration it was made."""

    def answer(arguments):
        life = lifecycles["deployment"].lives[arguments["deployment_id"]]
        shown = lifecycles["deployment"].show(life)
        return {**shown, "config": life.kept.get("config")}

    lifecycles.answers["get_endpoint_deployment"] = answer


def refuse(lifecycles, name, status, carried_out=False):
    """Let an operation be refused from now on, or be carried out and its answer lost;
    return what sets that right again."""
    real = lifecycles.answers[name]

    def answer(arguments):
        if carried_out:
            real(arguments)
        raise RefusalError(status, "not now")

    lifecycles.answers[name] = answer
    return lambda: lifecycles.answers.update({name: real})


@pytest.fixture
def two_sizes(sandbox, lifecycles):
    """Two configurations of the model, on eight GPUs and on two, and their prices."""
    profiles(sandbox, ("cr_8", 8), ("cr_2", 2))
    instances(sandbox, x1=250, x2=520, x8=1900)
    shows_configurations(lifecycles)


def stop(lifecycles, auth, made):
    main_of(find("cancel_job"))(auth, "deployment", made["job_id"])
    lifecycles.advance(400)


def kept(lifecycles, made):
    return lifecycles["deployment"].lives[made["deployment_id"]].kept


def test_sizes_and_prices_may_be_texts(sandbox, lifecycles, auth):
    profiles(
        sandbox, ("cr_8", "8"), ("cr_2", "2"), ("cr_odd", ["2"]), ("cr_few", "\u00b2")
    )
    instances(sandbox, x1="none", x2="520", x8=1900)

    found = plan(auth)

    assert (found["gpu_count"], found["usd_per_hour"]) == (2, 5.2)
    assert [one["gpu_count"] for one in found["alternatives"]] == [8, None, None]


def test_a_model_is_deployed_and_has_requests(sandbox, lifecycles, auth):
    made = deploy(auth)
    lifecycles.advance(400)

    endpoint = main_of(find("get_project_endpoint"))(auth, made["endpoint_id"])
    assert made["created"]
    assert made["model"] == endpoint["name"] == "sandbox/chat"
    assert made["job_id"] == f"{made['endpoint_id']}/{made['deployment_id']}"
    assert endpoint["trafficSplit"] == [
        {"deploymentId": made["deployment_id"], "weight": 1}
    ]
    (deployment,) = endpoint["deployments"]
    assert deployment["state"] == "DEPLOYMENT_STATE_READY"
    assert (
        lifecycles["deployment"].lives[made["deployment_id"]].kept["inactiveTimeout"]
        == 60
    )


def test_a_second_time_nothing_is_created(sandbox, lifecycles, auth):
    first = deploy(auth)
    lifecycles.advance(400)
    sandbox.requests.clear()

    again = deploy(auth)

    assert again["reattached"]
    assert again["deployment_id"] == first["deployment_id"]
    assert {request.method for request in sandbox.requests} == {"GET"}


def test_what_was_stopped_is_started_again(lifecycles, auth):
    made = deploy(auth)
    lifecycles.advance(400)
    main_of(find("cancel_job"))(auth, "deployment", made["job_id"])
    lifecycles.advance(400)
    assert lifecycles.state(made["deployment_id"]) == "DEPLOYMENT_STATE_STOPPED"

    again = deploy(auth, replicas=2)
    lifecycles.advance(400)

    assert again["deployment_id"] == made["deployment_id"]
    assert lifecycles.state(made["deployment_id"]) == "DEPLOYMENT_STATE_READY"


@pytest.mark.parametrize("stopped", [True, False])
def test_what_exists_keeps_its_configuration_and_price(
    stopped, two_sizes, lifecycles, auth
):
    made = deploy(auth, config="cr_8")
    lifecycles.advance(400)
    if stopped:
        stop(lifecycles, auth, made)

    planned = plan(auth, endpoint_name="chat")
    again = deploy(auth)

    assert (planned["config"], planned["gpu_count"]) == ("projects/p/configs/cr_8", 8)
    assert planned["usd_per_hour"] == 19
    assert [e["config"] for e in planned["alternatives"]] == ["projects/p/configs/cr_2"]
    assert (planned["running"], planned["state"]) == (
        (False, "STOPPED") if stopped else (True, "READY")
    )
    assert (again["config"], again["gpu_count"]) == ("projects/p/configs/cr_8", 8)
    assert again["started"] is stopped
    assert deploy(auth, config="projects/p/configs/cr_8")["gpu_count"] == 8


@pytest.mark.parametrize("stopped", [True, False])
def test_another_configuration_than_it_has_is_refused(
    stopped, two_sizes, sandbox, lifecycles, auth
):
    made = deploy(auth, config="cr_2")
    lifecycles.advance(400)
    if stopped:
        stop(lifecycles, auth, made)
    sandbox.requests.clear()

    for ask in (deploy, lambda auth, **more: plan(auth, endpoint_name="chat", **more)):
        with pytest.raises(TogetherError, match=r"another configuration: .*cr_2") as no:
            ask(auth, config="cr_8")
        assert no.value.problems[0]["field"] == "config"
    assert {request.method for request in sandbox.requests} == {"GET"}


def test_what_runs_is_left_as_it_is_and_that_is_said(
    two_sizes, sandbox, lifecycles, auth
):
    made = deploy(auth, replicas=2)
    lifecycles.advance(400)
    sandbox.requests.clear()

    again = deploy(auth, replicas=4, max_replicas=6, inactive_minutes=0)
    planned = plan(auth, replicas=4, endpoint_name="chat")

    assert (again["replicas"], again["inactive_minutes"]) == (2, 60)
    for words in ("least replicas 2, not 4", "most replicas 2, not 6"):
        assert words in again["note"]
    assert "idle minutes 60, not 0" in again["note"]
    assert (planned["replicas"], planned["usd_per_hour"]) == (2, 10.4)
    assert planned["inactive_minutes"] == 60
    assert {request.method for request in sandbox.requests} == {"GET"}
    assert kept(lifecycles, made)["autoscaling"] == {"minReplicas": 2, "maxReplicas": 2}
    assert "note" not in deploy(auth, replicas=2)


def test_what_is_started_again_gets_the_replicas_and_idle_minutes_asked_for(
    two_sizes, lifecycles, auth
):
    made = deploy(auth)
    lifecycles.advance(400)
    stop(lifecycles, auth, made)

    assert plan(auth, replicas=3, endpoint_name="chat")["usd_per_hour"] == 15.6
    again = deploy(auth, replicas=3, inactive_minutes=30)

    assert (again["replicas"], again["inactive_minutes"]) == (3, 30)
    assert kept(lifecycles, made)["autoscaling"] == {"minReplicas": 3, "maxReplicas": 3}
    assert kept(lifecycles, made)["inactiveTimeout"] == 30


@pytest.mark.parametrize(
    ("hardware", "cost"),
    [
        ("2x_nvidia_h100_80gb_sxm", ("nvidia_h100_80gb_sxm", 2, 5.2)),
        ("2xnvidia-h100-80gb", (None, None, None)),
        ("2x_tpu", ("tpu", 2, None)),
        (None, (None, None, None)),
    ],
)
def test_a_configuration_that_is_not_told_is_not_made_up(
    hardware, cost, two_sizes, sandbox, lifecycles, auth
):
    made = deploy(auth, config="cr_8")
    shown = main_of(find("get_endpoint_deployment"))
    found = shown(auth, made["endpoint_id"], made["deployment_id"])
    found = {**found, "config": None, "hardware": hardware}
    lifecycles.answers["get_endpoint_deployment"] = lambda _: found

    planned = plan(auth, endpoint_name="chat")

    told = (planned["gpu_type"], planned["gpu_count"], planned["usd_per_hour"])
    assert told == cost
    assert planned["config"] is None
    assert deploy(auth)["gpu_count"] == cost[1]


@pytest.mark.parametrize("before", ["nothing", "a deployment that is stopped"])
def test_where_it_gets_no_requests_the_error_names_what_is_charged(
    before, sandbox, lifecycles, auth
):
    if before != "nothing":
        made = deploy(auth)
        stop(lifecycles, auth, made)
        endpoint = main_of(find("update_project_endpoint"))
        endpoint(auth, made["endpoint_id"], body={"trafficSplit": []})
    mend = refuse(lifecycles, "update_project_endpoint", 403)

    with pytest.raises(TogetherError, match="403") as error:
        deploy(auth)

    (name,) = lifecycles["deployment"].lives
    assert error.value.kind == "deployment"
    assert error.value.job_id == error.value.partial["job_id"]
    assert error.value.job_id.endswith(f"/{name}")
    assert "waits/cancel_job" in error.value.advice
    mend()
    assert deploy(auth)["job_id"] == error.value.job_id
    endpoint = main_of(find("get_project_endpoint"))(
        auth, error.value.partial["endpoint_id"]
    )
    assert [one["deploymentId"] for one in endpoint["trafficSplit"]] == [name]


def test_a_restart_whose_answer_is_lost_names_the_deployment(sandbox, lifecycles, auth):
    made = deploy(auth)
    stop(lifecycles, auth, made)
    refuse(lifecycles, "update_endpoint_deployment", 500)

    with pytest.raises(TogetherError, match="500") as error:
        deploy(auth)

    assert error.value.ambiguous
    assert error.value.job_id == made["job_id"]


def test_a_deployment_whose_answer_is_lost_is_looked_for(sandbox, lifecycles, auth):
    refuse(lifecycles, "create_endpoint_deployment", 500, carried_out=True)

    made = deploy(auth)

    assert list(lifecycles["deployment"].lives) == [made["deployment_id"]]
    assert made["started"]


def test_a_deployment_that_is_not_to_be_found_is_not_known(sandbox, lifecycles, auth):
    refuse(lifecycles, "create_endpoint_deployment", 500)

    with pytest.raises(TogetherError, match="500") as error:
        deploy(auth)

    assert error.value.ambiguous
    assert not lifecycles["deployment"].lives


def test_an_endpoint_whose_name_is_not_told_is_looked_for_before_it_costs(
    lifecycles, auth
):
    real = lifecycles.answers["create_project_endpoint"]

    def nameless(arguments):
        return {**real(arguments), "name": None}

    lifecycles.answers["create_project_endpoint"] = nameless
    assert deploy(auth)["model"].endswith("/chat")

    lifecycles.answers["list_project_endpoints"] = lambda _: {"data": []}
    with pytest.raises(TogetherError, match="did not say the name") as error:
        deploy(auth, name="other")
    assert not error.value.ambiguous
    assert len(lifecycles["deployment"].lives) == 1


@pytest.mark.parametrize("split", [{"a": 1}, "all", 5])
def test_an_odd_share_of_requests_is_refused_before_anything_costs(
    split, lifecycles, auth
):
    real = lifecycles.answers["create_project_endpoint"]

    def odd(arguments):
        return {**real(arguments), "trafficSplit": split}

    lifecycles.answers["create_project_endpoint"] = odd

    with pytest.raises(TogetherError, match="should be a list"):
        deploy(auth)
    assert not lifecycles["deployment"].lives


@pytest.mark.parametrize("answer", [None, [], "ok", {"status": 5}])
def test_a_restart_that_is_answered_oddly_has_its_job(answer, lifecycles, auth):
    made = deploy(auth)
    main_of(find("waits/cancel_job"))(auth, "deployment", made["job_id"])
    lifecycles.advance(4000)
    real = lifecycles.answers["update_endpoint_deployment"]
    lifecycles.answers["update_endpoint_deployment"] = lambda arguments: (
        real(arguments) and answer
    )

    again = deploy(auth)

    assert (again["job_id"], again["started"]) == (made["job_id"], True)
    assert again["state"] is None or isinstance(again["state"], str)


@pytest.mark.parametrize("cents", [0, "0", -5, None, "a lot"])
def test_hardware_that_costs_nothing_has_a_price_that_is_not_told(cents, sandbox, auth):
    profiles(sandbox, ("cr_1", 1))
    instances(sandbox, x1=cents)

    found = plan(auth)

    assert found["usd_per_hour"] is None
    assert "no price" in found["cost_note"]


def test_a_state_that_is_not_told_is_not_taken_for_running(lifecycles, auth):
    made = deploy(auth)
    real = lifecycles.answers["get_endpoint_deployment"]
    places = {n: made[n] for n in ("endpoint_id", "deployment_id")}
    listed = lifecycles.answers["list_project_endpoints"]({"limit": 100})
    listed["data"][0]["deployments"][0]["state"] = None
    lifecycles.answers["list_project_endpoints"] = lambda _: listed
    shown = {**real({**places, "project_id": "p"}), "status": {"state": None}}
    lifecycles.answers["get_endpoint_deployment"] = lambda _: shown

    with pytest.raises(TogetherError, match="does not say whether"):
        plan(auth, endpoint_name="chat")
    with pytest.raises(TogetherError, match="does not say whether"):
        deploy(auth)


@pytest.mark.parametrize(
    "identity",
    [[], "p", {}, {"project": "p"}, {"project": [1]}, {"project": {"id": None}}],
)
def test_a_key_of_no_project_is_told(identity, sandbox, auth):
    sandbox.answers["get_identity"] = lambda _: identity

    with pytest.raises(TogetherError, match="no single project"):
        deploy(auth)


def test_a_name_that_serves_another_model_is_refused(lifecycles, auth):
    deploy(auth)

    with pytest.raises(TogetherError, match="serves another model"):
        deploy(auth, "ml_other")


def test_a_second_deployment_shares_the_requests_of_the_first(lifecycles, auth):
    first = deploy(auth)
    second = deploy(auth, deployment_name="blue")

    endpoint = main_of(find("get_project_endpoint"))(auth, first["endpoint_id"])
    assert [e["deploymentId"] for e in endpoint["trafficSplit"]] == [
        first["deployment_id"],
        second["deployment_id"],
    ]


def test_the_cheapest_configuration_is_taken_unless_one_is_named(sandbox, auth):
    profiles(sandbox, ("cr_8", 8), ("cr_2", 2))
    instances(sandbox, x1=250, x2=520, x8=1900)

    cheap, named = plan(auth), plan(auth, config="cr_8", replicas=2)

    assert (cheap["config"], cheap["usd_per_hour"]) == ("projects/p/configs/cr_2", 5.2)
    assert [e["config"] for e in cheap["alternatives"]] == ["projects/p/configs/cr_8"]
    assert (named["gpu_count"], named["usd_per_hour"]) == (8, 38)
    with pytest.raises(TogetherError, match=r"there are: .*cr_8.*cr_2"):
        plan(auth, config="cr_9")


def test_a_price_that_is_not_listed_is_made_of_one_gpu_s_or_not_known(sandbox, auth):
    profiles(sandbox, ("cr_4", 4))
    instances(sandbox, x1=250)
    assert plan(auth)["usd_per_hour"] == 10
    instances(sandbox, x2=520)

    found = plan(auth)

    assert found["usd_per_hour"] is None
    assert "no price" in found["cost_note"]


@pytest.mark.parametrize("member", ["config", "gpuType", "gpuCount", "quantization"])
@pytest.mark.parametrize("value", [None, 0.5, [5], {"a": 1}])
def test_an_odd_configuration_spoils_no_plan(member, value, sandbox, auth):
    profiles(sandbox, ("cr_1", 1), ("cr_2", 2))
    answer = sandbox.answers["list_supported_models"](None)
    answer["data"][0]["deploymentProfiles"][0][member] = value
    sandbox.answers["list_supported_models"] = lambda _: answer
    instances(sandbox, x1=250, x2=520)

    found = plan(auth, config="cr_2")

    assert (found["gpu_count"], found["usd_per_hour"]) == (2, 5.2)
    if member != "config":
        odd = plan(auth, config="cr_1")
        assert odd["usd_per_hour"] == (2.5 if member == "quantization" else None)


def test_a_model_of_the_project_is_served_by_its_own_configurations(
    sandbox, lifecycles, auth
):
    entry = find("list_model_configs").schema["x-reply"]["data"][0]
    selectors = [
        {"key": "accelerator_type", "value": "nvidia-h100-80gb"},
        {"key": "accelerator_count", "value": "2"},
    ]
    sandbox.answers["list_model_configs"] = lambda arguments: {
        "data": [{**entry, "id": "cr_own", "projectId": "q", "selectors": selectors}]
    }

    made = deploy(auth, "ml_mine")

    kept = lifecycles["deployment"].lives[made["deployment_id"]].kept
    assert kept["config"] == "projects/q/configs/cr_own"
    assert kept["model"].endswith("/models/ml_mine")
    assert made["gpu_count"] == 2


def test_a_model_without_a_known_configuration_leaves_it_to_the_service(
    sandbox, lifecycles, auth
):
    sandbox.answers["list_model_configs"] = lambda _: {"data": []}

    made = deploy(auth, "ml_mine")

    assert "config" not in lifecycles["deployment"].lives[made["deployment_id"]].kept


def test_a_model_that_nobody_can_serve_is_refused_before_anything_is_made(
    sandbox, lifecycles, auth
):
    with pytest.raises(TogetherError, match="no model that can be served"):
        deploy(auth, "acme/unknown")
    assert {request.method for request in sandbox.requests} == {"GET"}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({"state": "Deployment_State_Ready"}, "READY"),
        ({"state": " stopped "}, "STOPPED"),
        ("DEPLOYMENT_STATE_PROVISIONING", "PROVISIONING"),
        ({"state": "DEPLOYMENT_STATE_HALF"}, "HALF"),
        ({}, None),
        (None, None),
    ],
    ids=str,
)
def test_the_state_of_a_deployment_is_told_in_one_spelling(
    status, state, sandbox, auth
):
    made = {"id": "dep_1", "name": "projects/p/deployments/main", "status": status}
    sandbox.answers["create_endpoint_deployment"] = lambda _: made

    assert deploy(auth)["state"] == state


def test_an_odd_entry_among_the_deployments_is_left_out(sandbox, auth, capsys):
    endpoint = {"id": "ep_1", "name": "acme/chat", "deployments": [None, {"id": 7}]}
    sandbox.answers["list_project_endpoints"] = lambda _: {"data": [None, endpoint]}
    made = deploy(auth)

    assert (made["endpoint_id"], made["created"]) == ("ep_1", True)
    told = capsys.readouterr().err
    assert "1 of 2 entries of a list were left out" in told
    assert "2 of 2 entries of a list were left out" in told


def test_an_endpoint_is_not_made_anew_where_none_can_be_listed(sandbox, auth):
    sandbox.answers["list_project_endpoints"] = lambda _: {"endpoints": []}

    with pytest.raises(TogetherError, match="none in the answer"):
        deploy(auth)
    assert not [r for r in sandbox.requests if r.method == "POST"]
