"""
The same rules for Kyverno and for Gatekeeper, which speak CEL too. Pure.

Both are written from the table that the policies of Kubernetes itself are written from; those are
tested on an API server, these are not. Neither selects nodes by label: keep
``nodes.control_plane`` off, and name excluded nodes in ``nodes.exclude``.
"""

from typing import Final

from igpipe.config import Config
from igpipe.deploy.cel import literal
from igpipe.deploy.place import Manifest, Place
from igpipe.deploy.policy import in_namespace, policy_table, spec_of, validation, variables_of
from igpipe.deploy.rule import Policy

_GATEKEEPER: Final = "admission.k8s.gatekeeper.sh"


def kyverno(config: Config, place: Place) -> list[Manifest]:
    """Write ValidatingPolicies of Kyverno 1.17 and later."""
    return [_kyverno(policy, config, place) for policy in policy_table(config, place)]


def gatekeeper(config: Config, place: Place) -> list[Manifest]:
    """Write ConstraintTemplates of Gatekeeper 3.18 and later, and a constraint of each."""
    objects = []
    for policy in policy_table(config, place):
        objects += [_template(policy, place), _constraint(policy, config, place)]
    return objects


def _kyverno(policy: Policy, config: Config, place: Place) -> Manifest:
    spec = spec_of(policy)
    spec["matchConstraints"] |= in_namespace(config.cluster.namespace)
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ValidatingPolicy",
        "metadata": {
            "name": policy.name,
            "labels": place.labels,
            "annotations": {"policies.kyverno.io/description": policy.about},
        },
        "spec": {
            "validationActions": ["Deny"],
            # There is nothing to scan for: sessions are gone before a report is written.
            "evaluation": {"background": {"enabled": False}},
            **spec,
        },
    }


def _template(policy: Policy, place: Place) -> Manifest:
    operations = " || ".join(f'request.operation == "{name}"' for name in policy.operations)
    source: Manifest = {
        "failurePolicy": "Fail",
        # A constraint matches kinds; operations and subresources are left to conditions.
        "matchConditions": [
            {"name": "operation", "expression": operations},
            {"name": "resource", "expression": _resources(policy)},
        ],
        **variables_of(policy),
        "validations": [_without_reason(validation(rule)) for rule in policy.rules],
    }
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {
            "name": _kind(policy).lower(),
            "labels": place.labels,
            "annotations": {"description": policy.about},
        },
        "spec": {
            "crd": {"spec": {"names": {"kind": _kind(policy)}}},
            "targets": [
                {
                    "target": _GATEKEEPER,
                    "code": [{"engine": "K8sNativeValidation", "source": source}],
                }
            ],
        },
    }


def _constraint(policy: Policy, config: Config, place: Place) -> Manifest:
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": _kind(policy),
        "metadata": {"name": policy.name, "labels": place.labels},
        "spec": {
            "enforcementAction": "deny",
            "match": {
                # The options of exec and the like are kinds of their own.
                "kinds": [{"apiGroups": [""], "kinds": ["*"]}],
                "namespaces": [config.cluster.namespace],
            },
        },
    }


def _resources(policy: Policy) -> str:
    names = [resource.partition("/")[2] for resource in policy.resources]
    asked = 'request.?subResource.orValue("")'
    return f'request.resource.resource == "pods" && {asked} in {literal(names)}'


def _without_reason(written: Manifest) -> Manifest:
    """Leave out what Gatekeeper's validations do not have."""
    return {key: value for key, value in written.items() if key != "reason"}


def _kind(policy: Policy) -> str:
    words = policy.name.replace(".", "-").split("-")
    return "".join(word.capitalize() for word in words)
