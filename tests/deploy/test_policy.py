"""The admission policies as objects; what they decide is tried on a real API server."""

import json
import re
from typing import Any

import pytest

from igpipe.config import Config
from igpipe.deploy import Place, policies
from igpipe.deploy.bounds import bounds
from igpipe.deploy.place import Manifest
from igpipe.deploy.policy import policy_table

PLACE = Place()


def _config(**tree: Any) -> Config:
    return Config.model_validate_json(json.dumps(tree))


def _by_kind(kind: str, config: Config | None = None) -> dict[str, Manifest]:
    found = policies(config or Config(), PLACE)
    return {o["metadata"]["name"]: o["spec"] for o in found if o["kind"] == kind}


def test_what_cannot_be_decided_is_refused() -> None:
    """Every policy fails closed."""
    for spec in _by_kind("ValidatingAdmissionPolicy").values():
        assert spec["failurePolicy"] == "Fail"


def test_every_policy_is_bound_and_denies() -> None:
    """A policy without a binding would do nothing; all are bound to the one namespace."""
    bindings = _by_kind("ValidatingAdmissionPolicyBinding", _config(cluster={"namespace": "s"}))
    bound = {spec["policyName"] for spec in bindings.values()}
    assert (
        bound == _by_kind("ValidatingAdmissionPolicy", _config(cluster={"namespace": "s"})).keys()
    )
    for spec in bindings.values():
        assert spec["validationActions"] == ["Deny"]
        labels = spec["matchResources"]["namespaceSelector"]["matchLabels"]
        assert labels == {"kubernetes.io/metadata.name": "s"}


def test_nothing_keeps_a_pod_from_going() -> None:
    """Deletion and eviction are never matched: kubelets and controllers go on."""
    for spec in _by_kind("ValidatingAdmissionPolicy").values():
        (rule,) = spec["matchConstraints"]["resourceRules"]
        assert "DELETE" not in rule["operations"]
        assert "*" not in {*rule["operations"], *rule["resources"]}
        assert "pods/eviction" not in rule["resources"]


def test_every_rule_says_why() -> None:
    """Messages are sentences of one line, which Kubernetes demands."""
    for policy in policy_table(Config(), PLACE):
        for rule in policy.rules:
            assert rule.message
            assert "\n" not in rule.message + rule.message_expression
            assert len(rule.expression) < 10_000


def test_names_of_rules_are_distinct() -> None:
    """Each rule can be spoken of."""
    for policy in policy_table(Config(), PLACE):
        names = [rule.name for rule in policy.rules]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({}, {"excluded", "control-plane", "master"}),
        ({"nodes": {"control_plane": True}}, {"excluded"}),
        ({"nodes": {"exclude_annotation": ""}}, {"control-plane", "master"}),
    ],
)
def test_nodes_are_refused_by_their_labels(tree: dict[str, Any], expected: set[str]) -> None:
    """Control-plane nodes unless they are allowed, and those with igpipe's mark."""
    bindings = _by_kind("ValidatingAdmissionPolicyBinding", _config(**tree))
    prefix = "igpipe-sessions-nodes-"
    assert {n.removeprefix(prefix) for n in bindings if n.startswith(prefix)} == expected


def test_rules_are_the_same_for_every_configuration() -> None:
    """What a configuration allows is in the variables; the chart relies on that."""
    other = _config(session={"profile": "sysadmin", "generation": "builtin"}, gadgets=["trace_dns"])
    default, changed = (policy_table(config, PLACE) for config in (Config(), other))
    assert [policy.rules for policy in default] == [policy.rules for policy in changed]
    assert default[0].variables != changed[0].variables


def test_every_variable_is_used_and_defined() -> None:
    """A rule that names no variable of the policy would refuse everything."""
    (pods, *others) = policy_table(Config(), PLACE)
    texts = [text for rule in pods.rules for text in (rule.expression, rule.message_expression)]
    used = {name for text in texts for name in re.findall(r"\bvariables\.(\w+)", text)}
    assert used == {name for name, _ in pods.variables}
    assert not any("variables." in rule.expression for policy in others for rule in policy.rules)


@pytest.mark.parametrize(
    ("tree", "name", "expected"),
    [
        ({}, "privileged", "false"),
        ({"session": {"profile": "sysadmin"}}, "privileged", "true"),
        ({}, "hidden", '"--k8s-namespace="'),
        ({"session": {"gadget_version": "v0.40.0"}}, "hidden", '""'),
        ({}, "excluded", '"^()$"'),
        ({"nodes": {"exclude": ["gpu-*"]}}, "excluded", '"^(gpu-.*)$"'),
        ({"session": {"generation": "builtin"}}, "gadgets", '"^(.*)$"'),
        ({"session": {"memory_limit": "1Gi"}}, "memory", '"1Gi"'),
    ],
)
def test_variables_follow_the_configuration(tree: dict[str, Any], name: str, expected: str) -> None:
    """What can be configured is compared with what is configured."""
    assert bounds(_config(**tree), PLACE)[name] == expected


def test_people_may_be_allowed() -> None:
    """An igpipe outside the cluster has a user of its own, which the message names."""
    place = Place(users=("jane",))
    assert bounds(Config(), place)["creators"] == '["system:serviceaccount:igpipe:igpipe", "jane"]'
    creator = policy_table(Config(), place)[0].rules[0]
    assert 'variables.creators.join(" or ")' in creator.message_expression
