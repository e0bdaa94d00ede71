"""What Windmill's server makes of what is pushed, as the next pull shows it.

A flow is stored as it came, and then written anew by the job that sees to its locks,
from what the server knows of a flow: members that it does not know are gone, and those
that it always writes are there. Found by pushing to servers of 1.713 and 1.788 and
pulling, and in their public source. tests/windmill/server_form.json is what a server
was given once, and what it gave back.
"""

from collections.abc import Callable

Written = Callable[[object], object]


def kept(value: object) -> object:
    return value


def members(
    optional: dict[str, Written],
    always: dict[str, tuple[Written, object]] | None = None,
) -> Written:
    """An object of which the server knows these members: some are written where they
    are given, some always, with a default; where that is `...`, they must be given."""

    def written(value: dict) -> dict:
        found = {}
        for name, (inner, default) in (always or {}).items():
            if default is ... and value.get(name) is None:
                raise ValueError(f"{name} is missing in {value}")
            given = value.get(name)
            found[name] = inner(given) if given is not None else default
        for name, inner in optional.items():
            given = value.get(name)
            if given is not None and (given := inner(given)) is not None:
                found[name] = given
        return found

    return written


def each(inner: Written) -> Written:
    return lambda values: [inner(value) for value in values]


def true(value: object) -> object:
    return value or None  # not written where it is false


def transform(value: object) -> dict:
    """An input of a step; a bare number means itself."""
    if not isinstance(value, dict):
        return {"type": "static", "value": value}
    member, default = {"static": ("value", None), "javascript": ("expr", "")}[
        value["type"]
    ]
    return {"type": value["type"], member: value.get(member, default)}


def plain(*names: str) -> dict[str, Written]:
    return dict.fromkeys(names, kept)


STOP = members(
    plain("error_message"),
    {"expr": (kept, ...), "skip_if_stopped": (kept, ...)},
)
RETRY = members(
    {"retry_if": members({}, {"expr": (kept, ...)})},
    {
        "constant": (
            members({}, {"attempts": (kept, 0), "seconds": (kept, 0)}),
            {"attempts": 0, "seconds": 0},
        ),
        "exponential": (
            members(
                {},
                {
                    "attempts": (kept, 0),
                    "multiplier": (kept, 1),
                    "seconds": (kept, 0),
                    "random_factor": (kept, None),
                },
            ),
            {"attempts": 0, "multiplier": 1, "seconds": 0, "random_factor": None},
        ),
    },
)
SUSPEND = members(
    plain(
        "required_events",
        "timeout",
        "resume_form",
        "user_auth_required",
        "self_approval_disabled",
        "hide_cancel",
    )
    | {"user_groups_required": transform, "continue_on_disapprove_timeout": true}
)
CONTAINERS: dict[str, Written] = {}


def module_value(value: dict) -> dict:
    """What a step does: what holds other steps is written anew, the rest is not."""
    written = CONTAINERS.get(value["type"])
    return {"type": value["type"], **written(value)} if written else value


MODULE = members(
    plain("summary", "cache_ttl", "cache_ignore_s3_path", "priority")
    | plain("delete_after_secs", "continue_on_error", "apply_preprocessor")
    | plain("pass_flow_input_directly", "debouncing")
    | {
        "stop_after_if": STOP,
        "stop_after_all_iters_if": STOP,
        "suspend": SUSPEND,
        "mock": members(plain("return_value"), {"enabled": (kept, ...)}),
        "retry": RETRY,
        "sleep": transform,
        "timeout": transform,
        "skip_if": members({}, {"expr": (kept, ...)}),
    },
    {"id": (kept, "a"), "value": (module_value, ...)},
)
BRANCH = members(
    plain("summary"),
    {
        "expr": (kept, ""),
        "modules": (each(MODULE), ...),
        "skip_failure": (kept, True),
        "parallel": (kept, True),
    },
)
CONTAINERS |= {
    "forloopflow": members(
        {"parallelism": transform, "squash": kept},
        {
            "iterator": (transform, ...),
            "modules": (each(MODULE), ...),
            "skip_failures": (kept, True),
            "parallel": (kept, False),
        },
    ),
    "whileloopflow": members(
        plain("squash"),
        {"modules": (each(MODULE), ...), "skip_failures": (kept, False)},
    ),
    "branchone": members(
        {}, {"branches": (each(BRANCH), ...), "default": (each(MODULE), ...)}
    ),
    "branchall": members(
        {}, {"branches": (each(BRANCH), ...), "parallel": (kept, True)}
    ),
}
FLOW = members(
    plain("concurrency_key", "concurrent_limit", "concurrency_time_window_s")
    | plain("debounce_key", "debounce_delay_s", "debounce_args_to_accumulate")
    | plain("max_total_debouncing_time", "max_total_debounces_amount", "skip_expr")
    | plain("cache_ttl", "cache_ignore_s3_path", "early_return", "priority")
    | plain("chat_input_enabled", "flow_env", "delete_after_secs", "notes", "groups")
    | {
        "failure_module": MODULE,
        "preprocessor_module": MODULE,
        "same_worker": true,
        "preserve_step_tags": true,
    },
    {"modules": (each(MODULE), ...)},
)
# What the archive adds to an object that came without it.
DEFAULTS = {
    "flow": {"description": ""},
    "schedule": {
        "cron_version": "v2",
        "args": None,
        "enabled": True,
        "no_flow_overlap": False,
        "ws_error_handler_muted": False,
    },
    "resource-type": {"description": "", "format_extension": None, "is_fileset": False},
}


# What an update of a schedule leaves as it is; it is switched on and off by itself.
UNCHANGED = ("enabled", "script_path", "is_flow")


def server_form(kind: str, body: dict, before: dict | None = None) -> dict:
    """The object of a kind (its suffix in the archive) after it was created as `body`,
    or updated where there was one before.

    Raises ValueError for a flow without a member that the server needs.
    """
    found = {**DEFAULTS.get(kind, {}), **body}
    if kind == "schedule" and before:
        found |= {name: before[name] for name in UNCHANGED if name in before}
    if kind == "folder.meta" and before is None:
        # Who creates a folder owns it.
        found = {"owners": ["u/a"], "extra_perms": {"u/a": True}, **found}
    if kind == "flow":
        found["value"] = FLOW(body["value"])
    return found
