"""
What the configuration allows, as the variables of the policy for session Pods. Pure.

The rules compare a Pod with these. Those of ``modal_bounds`` follow from the kind of Pod alone
(profile, generation, gadget store), the others from single values.
"""

from igpipe.config import Config
from igpipe.deploy.cel import glob, literal, mixed, one_of
from igpipe.deploy.place import Place
from igpipe.deploy.shape import Shape, shape_of


def bounds(config: Config, place: Place) -> dict[str, str]:
    """Write every bound as CEL, by the name of its variable."""
    shape = shape_of(config, place)
    session = config.session
    return {
        "creators": literal(list(place.creators)),
        "excluded": one_of(map(glob, config.nodes.exclude)),
        "deadline": literal(shape.deadline),
        "priority": literal(session.priority_class),
        "images": one_of(shape.image_expressions),
        "flags": one_of(shape.flag_expressions),
        "gadgets": one_of(shape.gadget_expressions),
        "words": one_of(shape.word_expressions),
        "hidden": literal(shape.hidden_flag),
        "commands": literal(shape.commands),
        "tapImage": literal(session.tap_image),
        "pullPolicy": literal(session.image_pull_policy),
        "memory": literal(session.memory_limit),
        "storage": literal(session.ephemeral_storage_limit),
        **modal_bounds(shape),
    }


def modal_bounds(shape: Shape) -> dict[str, str]:
    """Write what any two configurations with one kind of Pod have in common."""
    kinds = {key for volume in shape.volumes for key in volume} | {"name", "hostPath", "emptyDir"}
    paths = [volume["hostPath"]["path"] for volume in shape.volumes if "hostPath" in volume]
    return {
        "podFields": literal(shape.pod_fields),
        "volumeKinds": literal(sorted(kinds)),
        "hostPaths": literal(paths),
        "declaredVolumes": f"[{', '.join(mixed(volume) for volume in shape.volumes)}]",
        "containerFields": literal(shape.container_fields),
        "mountFields": literal(shape.mount_fields),
        "mountPaths": literal(shape.mounts),
        "securityFields": literal(shape.security_fields),
        "privileged": literal(shape.privileged),
        "capabilities": literal(shape.capabilities),
    }
