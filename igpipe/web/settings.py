"""What the web config file says now: read again when it, or a file that it names, changes."""

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from igpipe.config.load import read_file
from igpipe.config.webfile import WebFile, parse_web_file
from igpipe.errors import ConfigError
from igpipe.telemetry import WebTelemetry
from igpipe.web.tls import build_context

log = logging.getLogger(__name__)

CONDITION: Final = "web.config_file"
_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Settings:
    """A file that can be served by; ``context`` is of no use where TLS is not spoken."""

    file: WebFile
    context: ssl.SSLContext

    @property
    def tls(self) -> bool:
        """Whether TLS is spoken; a restart only can change that."""
        return self.file.tls_server_config.enabled


class WebSettings:
    """
    The settings by *path*, or the defaults without one.

    Asking for them costs a ``stat`` of each file. One that cannot be used leaves the last good
    one in force; that is logged, counted and reported by *report* until it is mended. Raises
    ConfigError if already the first one cannot be used.
    """

    def __init__(
        self,
        path: Path | None,
        telemetry: WebTelemetry,
        report: Callable[[str, str], None] = lambda condition, reason: None,
    ) -> None:
        self._path = path
        self._telemetry = telemetry
        self._report = report
        self._seen: dict[Path, _Stamp] = {}
        self._good = self._load(path) if path else Settings(WebFile(), _no_context())

    def now(self) -> Settings:
        """Return what is in force."""
        if self._path and any(_stamp(path) != stamp for path, stamp in self._seen.items()):
            self._reload(self._path)
        return self._good

    def _reload(self, path: Path) -> None:
        try:
            fresh = self._load(path)
            problem = "" if fresh.tls == self._good.tls else f"{path}: TLS needs a restart"
        except ConfigError as exc:
            problem = str(exc)
        if problem:
            log.error("the web config file is not taken", extra={"problem": problem})
            self._telemetry.reloaded("failed")
            self._report(CONDITION, f"the last good one is in force: {problem}")
            return
        self._good = fresh
        log.info("the web config file was read again", extra={"file": str(path)})
        self._telemetry.reloaded("ok")
        self._report(CONDITION, "")

    def _load(self, path: Path) -> Settings:
        # Each stamp is taken before its file is read: a change in between is seen the next time.
        self._seen = {path: _stamp(path)}
        file = parse_web_file(read_file(path), str(path))
        tls = file.tls_server_config
        self._seen |= {named: _stamp(named) for named in tls.files(path.parent).values()}
        try:
            context = build_context(tls, path.parent) if tls.enabled else _no_context()
        except ConfigError as exc:
            raise ConfigError(f"{path}: {exc}") from None
        return Settings(file, context)


def _no_context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def _stamp(path: Path) -> _Stamp:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
