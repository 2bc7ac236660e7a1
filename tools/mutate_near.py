"""Which tests concern which file, for tools/mutate_operators.py."""

from typing import Final

__all__ = ["NEAR", "wide_tests"]

_EVALUATORS: Final = ("tests/unit/convert_eval",)
_FRONT: Final = ("tests/unit/convert_front",)
_EMBEDDED: Final = ("selftest", "coverage", "grid", "multiples", "survivors")
_SERVICE: Final = ("tests/unit/service", "tests/integration/test_convert.py")
_EVALUATING: Final = "rational scalars generate ir build lower pieces interpret exact expiry"
_PLAUSIBLE: Final = "guard own_acts plausible limit_text"
_READING: Final = (
    "reading/source reading/fields reading/figures reading/credit reading/node reading/formula"
    " reading/forms reading/group reading/cites reading/claiming reading/closing"
    " checking/tests"
)
_READERS: Final = ("reading", "meaning", "group_meaning", "selftest", "shipped")
_OTHER_FRONT: Final[dict[str, tuple[str, ...]]] = {
    "expression": ("expression", "meaning"),
    "yaml_text": ("yaml_text",),
    "document": ("document", "yaml_text"),
    "load": ("load", "reading", "meaning", "document", "selftest"),
    "shape": ("shape", "document"),
    "checking/taxonomy": ("meaning", "shipped"),
    "units": ("units", "meaning"),
    "bounds": ("bounds",),
    "checking/bounds": ("bounds", "meaning", "reading"),
    "checking/fineness": ("fineness", "bounds"),
    "checking/units": ("units", "meaning", "reading", "shipped"),
    "limit_rules": ("limit_rules",),
    "reading/plausibility": ("limit_rules", "meaning"),
    "selftest": _EMBEDDED,
    "coverage": _EMBEDDED,
    "mutate": _EMBEDDED,
    "grid": _EMBEDDED,
    "survivors": _EMBEDDED,
}


def _front(*names: str) -> tuple[str, ...]:
    return tuple(f"{_FRONT[0]}/test_{name}.py" for name in names)


def _evaluators(*names: str) -> tuple[str, ...]:
    return tuple(f"{_EVALUATORS[0]}/test_{name}.py" for name in names)


def _ledger_tests() -> tuple[str, ...]:
    names = ("positions", "lots", "edges", "decisions", "clearing", "worked_example", "programmes")
    return tuple(f"tests/unit/ledger/test_{name}.py" for name in names)


_SIGNING: Final = "commitment did envelope integrity keyed keys multibase requests webhooks"
_LEDGER: Final = (
    "checks clerk decisions lots positions book invariants returns replay clearing accounts commands"
)
_PROTOCOL: Final = "deciding forward events participant machine idempotency times state afterwards"
_TRANSPARENCY: Final = (
    "checkpoint cosignature fork keys merkle note policy proof text tile_names tiles witnessing"
)
NEAR: Final[dict[str, tuple[str, ...]]] = {
    **{f"gateway/convert/{name}.py": _EVALUATORS for name in _EVALUATING.split()},
    **{f"gateway/convert/{name}.py": _evaluators("plausible", "limits") for name in _PLAUSIBLE.split()},
    "gateway/convert/caps.py": _evaluators("caps"),
    "gateway/convert/explain.py": (*_evaluators("explain", "plausible"), "tests/mappings/test_evaluators.py"),
    "gateway/convert/fast.py": _evaluators(
        "operators", "agreement", "block_bounds", "generate", "lower", "plausible", "rounding_code"
    ),
    "gateway/convert/outcome.py": _evaluators("scalars", "explain", "roles"),
    "gateway/convert/program.py": _evaluators("operators", "roles", "grouping", "plausible", "claiming"),
    **{
        f"gateway/convert/{name}.py": _evaluators("roles", "scalars", "zones", "forms", "operators")
        for name in ("roles", "inputs", "instants")
    },
    "gateway/convert/forms.py": _evaluators("forms", "zones"),
    "gateway/convert/grouping.py": _evaluators("grouping"),
    "gateway/bulk/kernel.py": _EVALUATORS,
    "gateway/bulk/columns.py": _EVALUATORS,
    "gateway/catalog/timeline.py": ("tests/unit/catalog",),
    "gateway/service/converting/part.py": (
        "tests/unit/service/test_part.py",
        "tests/unit/service/test_plausible_parts.py",
    ),
    **{
        f"gateway/service/{name}.py": (
            "tests/unit/service/test_capping.py",
            "tests/unit/service/test_part.py",
            "tests/integration/test_convert.py",
        )
        for name in ("acts/capping", "converting/finishing")
    },
    "gateway/service/audit/quick.py": (
        "tests/unit/service/test_quick_words.py",
        "tests/integration/test_quick_look.py",
    ),
    "gateway/store/files/sorted_runs.py": (
        "tests/unit/store/test_sorted_runs.py",
        "tests/unit/store/test_journal.py",
    ),
    "gateway/contract/thrift.py": (
        "tests/unit/contract/test_thrift.py",
        "tests/unit/contract/test_parquet.py",
        "tests/unit/contract/test_parquet_pages.py",
    ),
    **{
        f"gateway/service/{name}.py": (
            "tests/unit/service/test_plausible_parts.py",
            "tests/integration/test_plausible.py",
        )
        for name in ("acts/comparing", "converting/plausible", "converting/findings")
    },
    "gateway/service/receipts/replaying.py": ("tests/unit/service/test_replaying.py",),
    "gateway/service/days.py": ("tests/unit/service/test_day_totals.py", "tests/unit/service/test_days.py"),
    **{f"gateway/convert/{name}.py": _front(*_READERS) for name in _READING.split()},
    **{f"gateway/convert/{name}.py": _front(*tests) for name, tests in _OTHER_FRONT.items()},
    "gateway/convert/claiming.py": _evaluators("claiming"),
    **{f"gateway/signing/{name}.py": ("tests/unit/signing",) for name in _SIGNING.split()},
    **{f"gateway/claims/{name}.py": ("tests/unit/claims",) for name in ("close", "holding", "kinds")},
    **{f"gateway/transparency/{name}.py": ("tests/unit/transparency",) for name in _TRANSPARENCY.split()},
    "gateway/recognition/amounts.py": ("tests/unit/recognition/test_amounts.py",),
    "gateway/recognition/agreement.py": ("tests/unit/recognition/test_agreement.py",),
    **{
        f"gateway/recognition/{name}.py": ("tests/unit/recognition/test_checks.py",)
        for name in ("checks", "limits", "picking")
    },
    **{f"gateway/ledger/{name}.py": _ledger_tests() for name in _LEDGER.split()},
    **{f"gateway/protocol/{name}.py": ("tests/unit/protocol",) for name in _PROTOCOL.split()},
}
_CONVERSION: Final = (
    *_EVALUATORS, *_FRONT, "tests/mappings", "tests/unit/catalog", "tests/platforms", *_SERVICE,
)  # fmt: skip
_SIGNED: Final = (
    "tests/unit/signing", "tests/unit/transparency", "tests/unit/store_log",
    "tests/integration/test_tamper.py",
)  # fmt: skip
_TRANSFER: Final = (
    "tests/unit/recognition", "tests/unit/ledger", "tests/unit/protocol", "tests/simulation",
)  # fmt: skip


def wide_tests(path: str) -> tuple[str, ...]:
    """Return the tests that survivors of the near ones are tried on."""
    if path.startswith(("gateway/recognition/", "gateway/ledger/", "gateway/protocol/")):
        return _TRANSFER
    return _SIGNED if path.startswith(("gateway/signing/", "gateway/transparency/")) else _CONVERSION
