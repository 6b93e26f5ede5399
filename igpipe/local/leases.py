"""Leases of a host that nobody shares: kept in memory."""

from dataclasses import replace

from igpipe.errors import Conflict, NotFound
from igpipe.model import LeaseState


class Leases:
    """The calls about Leases, as an API server answers them."""

    def __init__(self) -> None:
        self._leases: dict[str, LeaseState] = {}

    async def get_lease(self, name: str) -> LeaseState:
        """Read a Lease; NotFound."""
        try:
            return self._leases[name]
        except KeyError:
            raise NotFound(name) from None

    async def create_lease(self, lease: LeaseState) -> LeaseState:
        """Create a Lease; Conflict."""
        if lease.name in self._leases:
            raise Conflict(f"{lease.name} exists")
        made = replace(lease, uid=lease.name, version="1")
        self._leases[lease.name] = made
        return made

    async def update_lease(self, lease: LeaseState) -> LeaseState:
        """Write a Lease at ``lease.version``; Conflict, NotFound."""
        now = await self.get_lease(lease.name)
        if lease.version != now.version:
            raise Conflict(f"{lease.name} has changed")
        made = replace(lease, uid=now.uid, version=str(int(now.version) + 1))
        self._leases[lease.name] = made
        return made

    async def delete_lease(self, lease: LeaseState) -> None:
        """Delete a Lease at ``lease.version``; Conflict, NotFound."""
        if lease.version != (await self.get_lease(lease.name)).version:
            raise Conflict(f"{lease.name} has changed")
        del self._leases[lease.name]
