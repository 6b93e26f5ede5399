"""Walk the configuration models: which models a field holds, which keys a place knows. Pure."""

from collections.abc import Sequence
from typing import Any, get_args

from pydantic.fields import FieldInfo

from igpipe.config.types import Model


def models_in(annotation: Any) -> tuple[type[Model], ...]:
    """List the models that a field's annotation speaks of, in order."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return (annotation,)
    return tuple(model for part in get_args(annotation) for model in models_in(part))


def tag_of(model: type[Model]) -> str:
    """Return the value of ``type`` that chooses *model* in a union; empty if nothing does."""
    field = model.model_fields.get("type")
    choices = get_args(field.annotation) if field else ()
    return str(choices[0]) if len(choices) == 1 else ""


def fields_of(model: type[Model]) -> dict[str, FieldInfo]:
    """List a model's keys for readers: the ``type`` that chooses it comes first."""
    fields = dict(model.model_fields)
    return {"type": fields.pop("type"), **fields} if tag_of(model) else fields


def models_at(model: type[Model], location: Sequence[str | int]) -> tuple[type[Model], ...]:
    """List the models that may stand at pydantic's *location* (which holds the tags of unions)."""
    candidates: tuple[type[Model], ...] = (model,)
    for step in location:
        fields = [each.model_fields[step] for each in candidates if step in each.model_fields]
        if fields:
            candidates = models_in(fields[0].annotation)
        elif isinstance(step, str):
            candidates = tuple(each for each in candidates if tag_of(each) == step)
    return candidates


def keys_at(model: type[Model], location: Sequence[str | int]) -> tuple[str, ...]:
    """List the keys known at pydantic's *location*."""
    models = models_at(model, location)
    return tuple(dict.fromkeys(key for each in models for key in each.model_fields))
