"""What the form asks the server for: the list of models, as a job."""

from tools.flows.pack_flows import flows
from tools.live.checks import Subject, expect
from tools.live.stage import Stage
from tools.operations import scripts

OWN = "sandbox/model-of-the-live-suite"


def _choices(stage: Stage, path: str, kind: str, name: str, given: dict) -> list:
    """The choices that a dynamic select offers, got as the form gets them."""
    body = {
        "entrypoint_function": name,
        # The form names the function twice: servers read it here, for flows.
        "args": {"filterText": "", "_ENTRYPOINT_OVERRIDE": name, **given},
        "runnable_ref": {"source": "deployed", "path": path, "runnable_kind": kind},
    }
    job = str(stage.api.post("jobs/run/dynamic_select", body)).strip('"')
    found = stage.wait(job, f"{path}, {name}").succeeded()
    if kind == "flow" and stage.user.get("is_admin"):
        # The only jobs of the suite's that do not say whose they are.
        stage.api.post("jobs/delete", [job])
    return found


def _pickers() -> list[tuple[str, str, str]]:
    """Of each task one script and one flow with a list of its models: (id, kind, the
    argument)."""
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    for script in scripts():
        for name, member in script.schema.get("properties", {}).items():
            if "x-models" in member:
                task = str(member["x-models"])
                found.setdefault((task, "script"), (script.id, "script", name))
    for flow in flows():
        for name, member in flow.schema.get("properties", {}).items():
            if "x-models" in member:
                task = str(member["x-models"])
                found.setdefault((task, "flow"), (flow.id, "flow", name))
    return list(found.values())


def models_are_offered(stage: Stage) -> dict:
    offered = {}
    for script_id, kind, name in _pickers():
        path = f"{stage.folder}/{script_id}"
        found = _choices(stage, path, kind, name, {"auth": stage.auth})
        shaped = all({"value", "label"} <= set(choice) for choice in found)
        expect(found and shaped, f"{script_id}, {name} offers {str(found)[:300]}")
        built_in = [c for c in found if "built-in" in c["label"]]
        expect(not built_in, f"{script_id}, {name} offers the built-in list")
        offered[f"{script_id}, {name}"] = len(found)
    least = min(offered.values())
    said = f"{len(offered)} lists of models, {least} entries or more"
    return {"said": said, "offered": offered}


def without_a_resource_the_list_answers_at_once(stage: Stage) -> str:
    script_id, kind, name = _pickers()[0]
    path = f"{stage.folder}/{script_id}"
    before = len(stage.sandbox.requests)
    found = _choices(stage, path, kind, name, {})
    asked = stage.sandbox.requests[before:]
    expect(found, "there is no list")
    expect(not asked, "the service was asked without a key")
    return f"{len(found)} entries, nobody asked"


SUBJECT = Subject(
    "forms", (models_are_offered, without_a_resource_the_list_answers_at_once)
)
