"""The same rules for Kyverno and Gatekeeper."""

from igpipe.config import Config
from igpipe.deploy import Place, gatekeeper, kyverno
from igpipe.deploy.policy import policy_table

TABLE = policy_table(Config(), Place())


def test_kyverno_has_every_rule() -> None:
    """One policy each, with the same expressions, for the sessions' namespace."""
    found = kyverno(Config(), Place())
    for policy, written in zip(TABLE, found, strict=True):
        spec = written["spec"]
        assert [v["expression"] for v in spec["validations"]] == [
            r.expression for r in policy.rules
        ]
        assert spec["validationActions"] == ["Deny"]
        assert "igpipe-sessions" in str(spec["matchConstraints"]["namespaceSelector"])


def test_gatekeeper_has_every_rule() -> None:
    """A template and a constraint each; the template's name is its kind in small letters."""
    found = gatekeeper(Config(), Place())
    for policy, template, constraint in zip(TABLE, found[::2], found[1::2], strict=True):
        (target,) = template["spec"]["targets"]
        (code,) = target["code"]
        expressions = [v["expression"] for v in code["source"]["validations"]]
        assert expressions == [r.expression for r in policy.rules]
        kind = template["spec"]["crd"]["spec"]["names"]["kind"]
        assert template["metadata"]["name"] == kind.lower()
        assert constraint["kind"] == kind
        assert constraint["spec"]["match"]["namespaces"] == ["igpipe-sessions"]


def test_gatekeeper_asks_for_operation_and_subresource() -> None:
    """Constraints match kinds alone, so that the rest is a condition."""
    access = gatekeeper(Config(), Place())[4]
    conditions = access["spec"]["targets"][0]["code"][0]["source"]["matchConditions"]
    assert 'request.operation == "CONNECT"' in conditions[0]["expression"]
    assert '"exec", "attach"' in conditions[1]["expression"]
