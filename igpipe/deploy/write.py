"""Write objects as YAML for people: no anchors, files inside of objects as blocks. Pure."""

from collections.abc import Iterable
from typing import Any

import yaml

from igpipe.deploy.place import Manifest


def write_yaml(objects: Iterable[Manifest]) -> str:
    """Write objects as YAML documents."""
    return "".join(f"---\n{write_data(found)}" for found in objects)


def write_data(data: Any) -> str:
    """Write one document."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
