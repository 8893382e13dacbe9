"""Where the App is installed, and the repositories it can see there.

Law: a repository is known by its id; names, owners and rights change. Nothing is written where nothing changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Row,
    Table,
    Text,
    and_,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.facts import Repository, Visibility
from app.store.metadata import metadata

installations = Table(
    "installations",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger),
    Column("owner", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("permissions", JSONB, nullable=False),
    # Why nothing is done there: the owner is none of LOCKSTEP_ALLOWED_OWNERS.
    Column("ignored", Text),
    CheckConstraint("state IN ('active', 'suspended', 'removed')", name="state"),
    Index("ix_installations_owner_lower", func.lower(literal_column("owner"))),
)

repositories = Table(
    "repositories",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("node_id", Text, nullable=False),
    Column("installation_id", BigInteger, ForeignKey("installations.id"), nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("default_branch", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("accessible", Boolean, nullable=False),
    CheckConstraint("visibility IN ('private', 'internal', 'public')", name="visibility"),
    Index("ix_repositories_installation_id", "installation_id"),
    # Two rows may bear one name only while one of them is gone: a repository can be deleted and made anew.
    Index(
        "uq_repositories_name",
        func.lower(literal_column("owner")),
        func.lower(literal_column("name")),
        unique=True,
        postgresql_where=literal_column("accessible"),
    ),
)


@dataclass(frozen=True, slots=True)
class Installation:
    id: int
    owner: str
    state: str
    """``active``, ``suspended`` or ``removed``."""
    account_id: int | None = None
    permissions: dict[str, str] | None = None
    ignored: str | None = None
    """The sentence that says why nothing is done for this owner; None: all is well."""

    @property
    def serves(self) -> bool:
        return self.state == "active" and self.ignored is None


@dataclass(frozen=True, slots=True)
class Placed:
    """A repository with the installation through which it is seen."""

    repository: Repository
    installation_id: int
    accessible: bool


async def save_installation(connection: AsyncConnection, installation: Installation) -> bool:
    """Write the row if it differs; whether it did. Permissions and account that are not told stay as they were."""
    values = {
        "id": installation.id,
        "owner": installation.owner,
        "state": installation.state,
        "account_id": installation.account_id,
        "permissions": installation.permissions or {},
        "ignored": installation.ignored,
    }
    new = insert(installations).values(values)
    told = ["owner", "state", "ignored"]
    told += ["account_id"] if installation.account_id is not None else []
    told += ["permissions"] if installation.permissions is not None else []
    changes = {name: new.excluded[name] for name in told}
    differs = or_(*(installations.c[name].is_distinct_from(new.excluded[name]) for name in told))
    written = await connection.execute(
        new.on_conflict_do_update(index_elements=["id"], set_=changes, where=differs).returning(installations.c.id)
    )
    return written.first() is not None


async def installation_by_id(connection: AsyncConnection, installation_id: int) -> Installation | None:
    row = (await connection.execute(select(installations).where(installations.c.id == installation_id))).first()
    return _installation(row) if row else None


async def all_installations(connection: AsyncConnection) -> list[Installation]:
    rows = await connection.execute(select(installations).order_by(installations.c.id))
    return [_installation(row) for row in rows]


async def installation_of_owner(connection: AsyncConnection, owner: str) -> Installation | None:
    """The owner's live installation, the newest if GitHub has told of several."""
    query = (
        select(installations)
        .where(func.lower(installations.c.owner) == owner.lower(), installations.c.state != "removed")
        .order_by(installations.c.id.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return _installation(row) if row else None


def _installation(row: Row[Any]) -> Installation:
    return Installation(
        id=row.id,
        owner=row.owner,
        state=row.state,
        account_id=row.account_id,
        permissions=row.permissions,
        ignored=row.ignored,
    )


async def save_repository(connection: AsyncConnection, repository: Repository, installation_id: int) -> bool:
    """Write the row if it differs; whether it did. Another repository that bore this name is no longer accessible."""
    await connection.execute(
        update(repositories)
        .where(
            func.lower(repositories.c.owner) == repository.owner.lower(),
            func.lower(repositories.c.name) == repository.name.lower(),
            repositories.c.id != repository.id,
            repositories.c.accessible,
        )
        .values(accessible=False)
    )
    new = insert(repositories).values(_row(repository, installation_id))
    changes: dict[str, Any] = {name: new.excluded[name] for name in _row(repository, installation_id) if name != "id"}
    # Old payloads carry no node id: what is known already is better than nothing.
    changes["node_id"] = func.coalesce(func.nullif(new.excluded.node_id, ""), repositories.c.node_id)
    differs = or_(*(repositories.c[name].is_distinct_from(value) for name, value in changes.items()))
    written = await connection.execute(
        new.on_conflict_do_update(index_elements=["id"], set_=changes, where=differs).returning(repositories.c.id)
    )
    return written.first() is not None


async def narrow(connection: AsyncConnection, known: Placed, visibility: Visibility) -> bool:
    """Fewer may look than we knew; whether that is so. Written at once: a wider audience is never taken for granted."""
    narrower = visibility.width < known.repository.visibility.width
    if narrower:
        those = update(repositories).filter_by(id=known.repository.id, visibility=known.repository.visibility.value)
        await connection.execute(those.values(visibility=visibility.value))
    return narrower


def _row(repository: Repository, installation_id: int) -> dict[str, Any]:
    return {
        "id": repository.id,
        "node_id": repository.node_id,
        "installation_id": installation_id,
        "owner": repository.owner,
        "name": repository.name,
        "default_branch": repository.default_branch,
        "visibility": repository.visibility.value,
        "archived": repository.archived,
        "accessible": True,
    }


async def lose_repositories(
    connection: AsyncConnection, installation_id: int, *, ids: Iterable[int] | None = None, but: Iterable[int] = ()
) -> list[int]:
    """Mark repositories of an installation as no longer accessible: all, or ``ids``, never ``but``. Which changed."""
    those = [repositories.c.installation_id == installation_id, repositories.c.accessible]
    if ids is not None:
        those.append(repositories.c.id.in_(list(ids)))
    statement = update(repositories).where(and_(*those), repositories.c.id.not_in(list(but))).values(accessible=False)
    return list((await connection.execute(statement.returning(repositories.c.id))).scalars())


async def repository_by_id(connection: AsyncConnection, repository_id: int) -> Placed | None:
    row = (await connection.execute(select(repositories).where(repositories.c.id == repository_id))).first()
    return _placed(row) if row else None


async def repository_by_name(connection: AsyncConnection, owner: str, name: str) -> Placed | None:
    """The accessible repository of this name, whatever its case."""
    found = await repositories_by_name(connection, owner, [name])
    return found[0] if found else None


async def repositories_by_name(connection: AsyncConnection, owner: str, names: Iterable[str]) -> list[Placed]:
    """The accessible ones among these short names of one owner; case does not matter."""
    rows = await connection.execute(
        select(repositories)
        .where(
            func.lower(repositories.c.owner) == owner.lower(),
            func.lower(repositories.c.name).in_([name.lower() for name in names]),
            repositories.c.accessible,
        )
        .order_by(repositories.c.id)
    )
    return [_placed(row) for row in rows]


async def repositories_of_owner(connection: AsyncConnection, owner: str) -> list[Placed]:
    """All that are accessible, by name."""
    name = func.lower(repositories.c.name)
    query = select(repositories).where(func.lower(repositories.c.owner) == owner.lower(), repositories.c.accessible)
    return [_placed(row) for row in await connection.execute(query.order_by(name))]


async def repositories_by_id(connection: AsyncConnection, ids: Iterable[int]) -> list[Placed]:
    rows = await connection.execute(
        select(repositories).where(repositories.c.id.in_(list(ids))).order_by(repositories.c.id)
    )
    return [_placed(row) for row in rows]


def _placed(row: Row[Any]) -> Placed:
    repository = Repository(
        id=row.id,
        owner=row.owner,
        name=row.name,
        node_id=row.node_id,
        default_branch=row.default_branch,
        visibility=Visibility(row.visibility),
        archived=row.archived,
    )
    return Placed(repository, row.installation_id, row.accessible)
