"""A flow and a schedule that show every way in which they refer to something."""

FLOW = """
summary: Ask each morning
description: A step of every kind.
value:
  modules:
    - id: ask
      retry:
        constant: {attempts: 2, seconds: 5}
        exponential: {attempts: 0, multiplier: 1, seconds: 1, random_factor: 0}
      timeout: {type: static, value: 60}
      value:
        type: script
        path: f/togetherai/models/list_models
        input_transforms: {auth: {type: javascript, expr: flow_input.auth}}
    - id: each
      value:
        type: forloopflow
        iterator: {type: javascript, expr: results.ask}
        skip_failures: true
        parallel: true
        parallelism: {type: static, value: 2}
        modules:
          - id: choose
            value:
              type: branchone
              branches:
                - expr: flow_input.iter.index > 0
                  modules: []
                  skip_failure: true
                  parallel: true
              default: [{id: same, value: {type: identity}}]
    - id: sure
      suspend: {required_events: 1, timeout: 60}
      value:
        type: rawscript
        language: python3
        content: '!inline sure.py'
        lock: '!inline sure.lock'
        input_transforms: {}
schema:
  $schema: https://json-schema.org/draft/2020-12/schema
  type: object
  order: [auth]
  properties: {auth: {type: object, format: resource-togetherai}}
  required: [auth]
"""
SCHEDULE = """
summary: Each morning
schedule: 0 0 6 * * *
timezone: UTC
script_path: f/togetherai/flows/ask
is_flow: true
enabled: false
args: {auth: $res:f/togetherai/key}
"""


def references(value: object) -> set[str]:
    """The scripts, flows, resources and variables that a flow or schedule refers to."""
    if isinstance(value, str):
        return {value} if value.startswith(("$res:", "$var:")) else set()
    found = set()
    if isinstance(value, dict):
        if value.get("type") in ("script", "flow") and "input_transforms" in value:
            found.add(value["path"])
        for name in ("script_path", "on_failure", "on_recovery", "on_success"):
            if value.get(name):
                found.add(value[name])
    items = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        found |= {path for item in items for path in references(item)}
    return found
